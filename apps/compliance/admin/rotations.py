"""How far rotations of keys have come; they are run from the command line."""

from __future__ import annotations

from django.contrib import admin

from apps.audit.admin import ReadOnlyAdmin
from apps.compliance.models import KeyRotation


@admin.register(KeyRotation)
class KeyRotationAdmin(ReadOnlyAdmin):
    list_display = (
        "target", "started_at", "started_by", "done", "total", "changed", "failed",
        "finished_at",
    )  # fmt: skip
