"""The admin site class; apps register on ``django.contrib.admin.site``, which is it."""

from __future__ import annotations

from unfold.sites import UnfoldAdminSite


class PlatformAdminSite(UnfoldAdminSite):  # type: ignore[misc]
    site_header = "Pixelated Empathy Platform"
    site_title = "Pixelated Empathy"
    index_title = "Governance"
    enable_nav_sidebar = True
