"""Approval requests and their sign-offs, bound to a subject's digest.

The database itself refuses a second signature by one person, two signatures in one
role, and a signature by the author; superusers meet the same constraints. Triggers
(migration 0003) refuse a sign-off that names another author or digest than its request,
any change to a sign-off, and any change to what a request was bound to.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class ApprovalRequest(models.Model):
    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        WITHDRAWN = "withdrawn", "Withdrawn"
        EXPIRED = "expired", "Expired"
        VOID = "void", "Void: subject changed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject_label = models.CharField(max_length=80)
    subject_id = models.CharField(max_length=80)
    subject_digest = models.CharField(max_length=80)
    title = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    evidence = models.JSONField(default=dict)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="authored_approvals",
        help_text="Who made the subject; may never sign.",
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="requested_approvals",
    )
    quorum = models.PositiveSmallIntegerField()
    eligible_roles = models.JSONField()
    state = models.CharField(
        max_length=12, choices=State.choices, default=State.PENDING
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject_label", "subject_id"],
                condition=Q(state="pending"),
                name="approval_one_pending_per_subject",
            ),
            models.CheckConstraint(
                condition=Q(quorum__gte=1), name="approval_quorum_positive"
            ),
            models.CheckConstraint(
                condition=Q(state="pending", decided_at__isnull=True)
                | (~Q(state="pending") & Q(decided_at__isnull=False)),
                name="approval_decided_when_closed",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "pending",
                        "approved",
                        "rejected",
                        "withdrawn",
                        "expired",
                        "void",
                    ]
                ),
                name="approval_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(subject_digest=""), name="approval_bound_to_a_digest"
            ),
        ]
        permissions = [
            ("sign_approvalrequest", "Can sign approval requests"),
            ("withdraw_approvalrequest", "Can withdraw approval requests"),
            ("expire_approvalrequest", "Can close overdue approval requests"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.state})"

    @property
    def is_pending(self) -> bool:
        return self.state == self.State.PENDING


class SignOff(models.Model):
    class Outcome(models.TextChoices):
        APPROVE = "approve", "Approve"
        REJECT = "reject", "Reject"

    request = models.ForeignKey(
        ApprovalRequest, on_delete=models.PROTECT, related_name="sign_offs"
    )
    signer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="sign_offs"
    )
    # Copied from the request, so that the database can compare them in one row.
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    role = models.CharField(max_length=40)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    meaning = models.CharField(max_length=200)
    reason = models.TextField()
    subject_digest = models.CharField(max_length=80)
    signed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["signed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["request", "signer"], name="signoff_once_per_person"
            ),
            models.UniqueConstraint(
                fields=["request", "role"], name="signoff_once_per_role"
            ),
            models.CheckConstraint(
                condition=~Q(signer=F("author")), name="signoff_not_by_author"
            ),
            models.CheckConstraint(
                condition=~Q(reason=""), name="signoff_has_a_reason"
            ),
            models.CheckConstraint(
                condition=~Q(meaning=""), name="signoff_has_a_meaning"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["approve", "reject"]),
                name="signoff_outcome_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} by {self.signer_id} as {self.role}"
