"""Crisis cases: what was detected, who took it, how it ended.

A row carries identifiers, a level, reason codes and a keyed digest; never the person's
words, which stand sealed in a row of their own (notices.py). Its first step commits
with it, so "detected, and nothing done" has no form here.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.safety.contracts import RiskLevel


class Escalation(models.Model):
    class State(models.TextChoices):
        OPEN = "open", "Open"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        RESOLVED = "resolved", "Resolved"

    class Level(models.TextChoices):
        NONE = RiskLevel.NONE.value, "None graded"
        LOW = RiskLevel.LOW.value, "Low"
        MODERATE = RiskLevel.MODERATE.value, "Moderate"
        HIGH = RiskLevel.HIGH.value, "High"
        IMMINENT = RiskLevel.IMMINENT.value, "Imminent"

    class Disposition(models.TextChoices):
        SUPPORTED = "supported", "Person reached and supported"
        REFERRED = "referred", "Referred to care"
        EMERGENCY = "emergency", "Emergency services called"
        UNREACHABLE = "unreachable", "Person could not be reached"
        NO_RISK = "no_risk", "Reviewed: no risk found"
        DUPLICATE = "duplicate", "Same case as another"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    correlation_id = models.UUIDField(
        unique=True, help_text="The request or batch item this is about."
    )
    level = models.CharField(max_length=10, choices=Level.choices)
    locale = models.CharField(max_length=20)
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    reasons = models.JSONField(default=list)
    text_digest = models.CharField(max_length=80)
    subject = models.CharField(
        max_length=64,
        blank=True,
        db_index=True,
        help_text="Whose key seals the text: a digest, empty when nobody was named.",
    )
    policy_digest = models.CharField(max_length=80)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="Acknowledge by then, or the next is told.")
    rung = models.PositiveSmallIntegerField(
        default=0, help_text="0 on call, 1 next responder, 2 and more: everyone."
    )
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="assigned_escalations",
        null=True,
        blank=True,
    )
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
    )
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
    )
    resolved_at = models.DateTimeField(null=True, blank=True)
    disposition = models.CharField(
        max_length=12, choices=Disposition.choices, blank=True
    )

    class Meta:
        ordering = ["due_at"]
        default_permissions = ("view",)
        permissions = [
            ("open_escalation", "Can open escalations"),
            ("sweep_escalation", "Can notify about and sweep escalations"),
            ("acknowledge_escalation", "Can acknowledge escalations"),
            ("reassign_escalation", "Can reassign escalations"),
            ("resolve_escalation", "Can resolve escalations"),
            ("read_escalationtext", "Can break the glass and read what was said"),
            ("report_escalation", "Can export referral reports"),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(state="open"), name="escalation_due"
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(acknowledged_by__isnull=True, acknowledged_at__isnull=True)
                | Q(acknowledged_by__isnull=False, acknowledged_at__isnull=False),
                name="escalation_acknowledged_who_and_when",
            ),
            models.CheckConstraint(
                condition=Q(resolved_by__isnull=True, resolved_at__isnull=True)
                | Q(resolved_by__isnull=False, resolved_at__isnull=False),
                name="escalation_resolved_who_and_when",
            ),
            models.CheckConstraint(
                condition=Q(
                    state="open",
                    acknowledged_at__isnull=True,
                    resolved_at__isnull=True,
                )
                | Q(
                    state="acknowledged",
                    acknowledged_at__isnull=False,
                    resolved_at__isnull=True,
                )
                | Q(
                    state="resolved",
                    acknowledged_at__isnull=False,
                    resolved_at__isnull=False,
                ),
                name="escalation_state_matches_facts",
            ),
            models.CheckConstraint(
                condition=Q(state="resolved") & ~Q(disposition="")
                | ~Q(state="resolved") & Q(disposition=""),
                name="escalation_disposition_when_resolved",
            ),
            models.CheckConstraint(
                condition=Q(due_at__gte=models.F("opened_at")),
                name="escalation_due_after_opened",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.level} {self.id} ({self.state})"

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN


class EscalationStep(models.Model):
    class Kind(models.TextChoices):
        OPENED = "opened", "Opened"
        NOTIFIED = "notified", "Responder notified"
        OVERDUE = "overdue", "Overdue: next responder"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        REASSIGNED = "reassigned", "Reassigned"
        RESOLVED = "resolved", "Resolved"
        READ = "read", "Text read, with a reason"

    escalation = models.ForeignKey(
        Escalation, on_delete=models.PROTECT, related_name="steps"
    )
    kind = models.CharField(max_length=12, choices=Kind.choices)
    rung = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=60)
    actor_label = models.CharField(max_length=200)
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["at", "id"]
        default_permissions = ("view",)
        constraints = [
            # Each rung is notified once, however often a task is delivered.
            models.UniqueConstraint(
                fields=["escalation", "rung"],
                condition=Q(kind="notified"),
                name="escalationstep_notified_once",
            ),
            models.UniqueConstraint(
                fields=["escalation", "kind"],
                condition=Q(kind__in=["opened", "acknowledged", "resolved"]),
                name="escalationstep_happens_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M:%S}"
