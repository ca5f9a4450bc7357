"""The admin site: one place where every app's screens are gathered."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class PlatformAdminConfig(AdminConfig):
    default_site = "pe_platform.site.PlatformAdminSite"
