"""The delivery log of notices, and the sealed words of a case.

An attempt is one try to tell one address through one channel; the next try is a row of
its own, so what happened stays readable. Rows are claimed by conditional updates.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.safety.models.escalations import Escalation


class NotificationAttempt(models.Model):
    class Outcome(models.TextChoices):
        PENDING = "pending", "Waits"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Taken by the channel"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "No longer needed"

    escalation = models.ForeignKey(
        Escalation, on_delete=models.PROTECT, related_name="attempts"
    )
    rung = models.PositiveSmallIntegerField()
    channel = models.CharField(max_length=40)
    responder = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        help_text="Empty where the channel sends once for the whole case.",
    )
    attempt = models.PositiveSmallIntegerField(default=1)
    outcome = models.CharField(
        max_length=10, choices=Outcome.choices, default=Outcome.PENDING
    )
    status = models.CharField(
        max_length=60, blank=True, help_text="What the channel said, as a code."
    )
    due_at = models.DateTimeField(help_text="Not to be tried before.")
    at = models.DateTimeField(null=True, blank=True, help_text="When it was tried.")
    claimed_until = models.DateTimeField(
        null=True, blank=True, help_text="A try unsettled by then counts as lost."
    )

    class Meta:
        ordering = ["due_at", "id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(outcome__in=["pending", "sending"]),
                name="notificationattempt_waits",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["escalation", "rung", "channel", "responder", "attempt"],
                condition=Q(responder__isnull=False),
                name="notificationattempt_once_each",
            ),
            models.UniqueConstraint(
                fields=["escalation", "rung", "channel", "attempt"],
                condition=Q(responder__isnull=True),
                name="notificationattempt_once_a_case",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="sending") | Q(claimed_until__isnull=False),
                name="notificationattempt_sending_has_lease",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["pending", "cancelled"]) | Q(at__isnull=False),
                name="notificationattempt_tried_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} #{self.attempt}: {self.outcome}"


class EscalationText(models.Model):
    """What the person said, sealed; opened only with a reason, forgotten in time."""

    escalation = models.OneToOneField(
        Escalation, on_delete=models.PROTECT, related_name="text", primary_key=True
    )
    sealed = models.BinaryField()
    keep_until = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"sealed text of {self.escalation_id}"
