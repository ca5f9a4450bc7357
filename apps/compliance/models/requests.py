"""What data subjects ask for, until when it is due, and how it ended.

A row names a person by the digest of program and participant; what they are called
stands nowhere here. Rows are never deleted: they prove what was done.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class SubjectRequest(models.Model):
    class Kind(models.TextChoices):
        ACCESS = "access", "Access: what is kept, why and a copy"
        EXPORT = "export", "Export: a copy for another service"
        ERASURE = "erasure", "Erasure"
        RESTRICTION = "restriction", "Restriction: keep, do not use"
        LIFTING = "lifting", "Lifting of a restriction"

    class State(models.TextChoices):
        RECEIVED = "received", "Received"
        VERIFIED = "verified", "Identity checked"
        DONE = "done", "Done"
        REFUSED = "refused", "Refused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    subject = models.CharField(
        max_length=64, db_index=True, help_text="Program and participant, as a digest."
    )
    reference = models.CharField(
        max_length=80,
        blank=True,
        help_text="Where the letter is filed; never a name.",
    )
    state = models.CharField(
        max_length=10, choices=State.choices, default=State.RECEIVED
    )
    received_at = models.DateTimeField()
    due_at = models.DateTimeField(
        db_index=True, help_text="One month from receipt; three when extended."
    )
    extended_because = models.CharField(max_length=300, blank=True)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
    )
    verified_at = models.DateTimeField(null=True, blank=True)
    verified_how = models.CharField(
        max_length=300, blank=True, help_text="What was looked at to know the person."
    )
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    refused_because = models.CharField(max_length=300, blank=True)
    certificate = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ["due_at"]
        default_permissions = ("view", "add")
        permissions = [
            ("verify_subjectrequest", "Can check who a data subject is"),
            ("fulfil_subjectrequest", "Can do what a data subject asked for"),
            ("repeat_subjectrequest", "Can erase again after a restore"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(verified_by__isnull=True, verified_at__isnull=True)
                | (
                    Q(verified_by__isnull=False, verified_at__isnull=False)
                    & ~Q(verified_how="")
                ),
                name="subjectrequest_verified_who_when_how",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["received", "verified"],
                    closed_by__isnull=True,
                    closed_at__isnull=True,
                )
                | Q(
                    state__in=["done", "refused"],
                    closed_by__isnull=False,
                    closed_at__isnull=False,
                ),
                name="subjectrequest_closed_who_and_when",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["verified", "done"])
                | Q(verified_at__isnull=False),
                name="subjectrequest_done_only_when_verified",
            ),
            models.CheckConstraint(
                condition=Q(state="refused") & ~Q(refused_because="")
                | ~Q(state="refused") & Q(refused_because=""),
                name="subjectrequest_refused_why",
            ),
            # What cannot be undone takes two people.
            models.CheckConstraint(
                condition=~Q(kind="erasure", state="done")
                | ~Q(closed_by=F("verified_by")),
                name="subjectrequest_erasure_by_two",
            ),
            models.CheckConstraint(
                condition=Q(due_at__gt=F("received_at")),
                name="subjectrequest_due_after_receipt",
            ),
            models.CheckConstraint(
                condition=~Q(subject=""), name="subjectrequest_names_somebody"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {str(self.id)[:8]} ({self.get_state_display().lower()})"

    @property
    def is_closed(self) -> bool:
        return self.state in (self.State.DONE, self.State.REFUSED)

    def is_overdue(self, moment: datetime) -> bool:
        """Whether it should have been closed before ``moment`` and was not."""
        return not self.is_closed and self.due_at < moment
