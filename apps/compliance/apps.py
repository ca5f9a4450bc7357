"""Django configuration of the compliance app."""

from __future__ import annotations

from django.apps import AppConfig


class ComplianceConfig(AppConfig):
    name = "apps.compliance"
    label = "compliance"
    verbose_name = "Evidence and data protection"
    default_auto_field = "django.db.models.BigAutoField"
