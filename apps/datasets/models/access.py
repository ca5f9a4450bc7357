"""Who may read which rows and columns of a version, for what and until when.

A grant is asked for, signed for by two people, and ends by its time or by revocation.
What it covers is written once; another scope is another grant.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.datasets.models.versions import DatasetVersion


class DatasetGrant(models.Model):
    class State(models.TextChoices):
        REQUESTED = "requested", "Waits for signatures"
        GRANTED = "granted", "Granted"
        REFUSED = "refused", "Not granted"
        REVOKED = "revoked", "Revoked"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(
        DatasetVersion, on_delete=models.PROTECT, related_name="grants"
    )
    # The line of rotations: what one of its keys was granted, the latest may read.
    family_id = models.UUIDField(db_index=True)
    program = models.CharField(max_length=120, help_text="Name and prefix of its key.")
    purpose = models.TextField(help_text="What the rows will be used for.")
    columns = models.JSONField(help_text="Names of the fields that may be read.")
    where = models.JSONField(
        default=dict, blank=True, help_text="Rows whose fields have these values."
    )
    shows_identifiers = models.BooleanField(
        default=False, help_text="Identifiers are masked unless this says otherwise."
    )
    days = models.PositiveSmallIntegerField(help_text="Open for so long, once granted.")
    row_count = models.PositiveIntegerField(
        help_text="Rows in scope, without canaries."
    )
    state = models.CharField(
        max_length=10, choices=State.choices, default=State.REQUESTED
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(auto_now_add=True)
    granted_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
    )
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_because = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-requested_at"]
        default_permissions = ("view", "add")
        permissions = [
            ("read_datasetgrant", "Can read the rows of its own grants"),
            ("revoke_datasetgrant", "Can revoke grants"),
            ("trace_datasetgrant", "Can find whose grant leaked rows came from"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(granted_at__isnull=True, expires_at__isnull=True)
                | Q(expires_at__gt=F("granted_at")),
                name="datasetgrant_is_time_boxed",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["requested", "refused"], granted_at__isnull=True)
                | Q(state__in=["granted", "revoked"], granted_at__isnull=False),
                name="datasetgrant_granted_when",
            ),
            models.CheckConstraint(
                condition=Q(
                    state="revoked", revoked_at__isnull=False, revoked_by__isnull=False
                )
                & ~Q(revoked_because="")
                | ~Q(state="revoked")
                & Q(
                    revoked_at__isnull=True, revoked_by__isnull=True, revoked_because=""
                ),
                name="datasetgrant_revoked_who_when_why",
            ),
            models.CheckConstraint(
                condition=~Q(purpose="") & Q(days__gte=1, days__lte=366),
                name="datasetgrant_for_something_and_a_year_at_most",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program}: {self.get_state_display().lower()}"

    def is_open(self, moment: datetime) -> bool:
        """Whether rows may be read at a moment."""
        return (
            self.state == self.State.GRANTED
            and self.expires_at is not None
            and self.expires_at > moment
        )
