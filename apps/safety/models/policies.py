"""Versions of safety policies: drafted, signed for, in force, retired.

The document of a row is written once, when the row is made; a change is a new version.
Of a name's approved versions the one that started last is in force; a version may be
approved to start later. A service moves the state; nothing deletes a row.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class SafetyPolicy(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        SUBMITTED = "submitted", "Submitted for approval"
        APPROVED = "approved", "Approved"
        RETIRED = "retired", "Retired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(max_length=60, db_index=False)
    version = models.PositiveIntegerField()
    document = models.JSONField(
        help_text="Gates in order with thresholds, fixed texts and contacts by locale, "
        "minutes to acknowledge by level."
    )
    digest = models.CharField(max_length=80)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    starts_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="In force from then on; set when approved, never before that.",
    )
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
    )

    class Meta:
        ordering = ["name", "-version"]
        verbose_name_plural = "safety policies"
        permissions = [("submit_safetypolicy", "Can submit and retire safety policies")]
        constraints = [
            models.UniqueConstraint(
                fields=["name", "version"], name="safetypolicy_version_once"
            ),
            models.UniqueConstraint(
                fields=["name", "starts_at"],
                condition=Q(state="approved"),
                name="safetypolicy_one_start",
            ),
            models.CheckConstraint(
                condition=Q(version__gte=1), name="safetypolicy_version_positive"
            ),
            models.CheckConstraint(
                condition=Q(state="retired")
                | Q(state="approved", approved_at__isnull=False)
                | Q(state__in=["draft", "submitted"], approved_at__isnull=True),
                name="safetypolicy_approved_when",
            ),
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True, starts_at__isnull=True)
                | Q(approved_at__isnull=False, starts_at__gte=F("approved_at")),
                name="safetypolicy_starts_once_approved",
            ),
            models.CheckConstraint(
                condition=Q(
                    state="retired", retired_at__isnull=False, retired_by__isnull=False
                )
                | ~Q(state="retired")
                & Q(retired_at__isnull=True, retired_by__isnull=True),
                name="safetypolicy_retired_who_and_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version} ({self.get_state_display().lower()})"

    @property
    def is_approved(self) -> bool:
        return self.state == self.State.APPROVED

    def has_started(self, moment: datetime) -> bool:
        """Whether it is approved and its start is not after ``moment``."""
        return self.is_approved and bool(self.starts_at and self.starts_at <= moment)
