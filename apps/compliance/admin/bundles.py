"""Which evidence was exported; exports are made from the command line."""

from __future__ import annotations

from django.contrib import admin

from apps.audit.admin import ReadOnlyAdmin
from apps.compliance.models import EvidenceBundle


@admin.register(EvidenceBundle)
class EvidenceBundleAdmin(ReadOnlyAdmin):
    list_display = ("starts_on", "ends_on", "made_by", "made_at", "digest")
    list_select_related = ("made_by",)
