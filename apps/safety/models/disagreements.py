"""Where a gate and a second judge were far apart: a row for a person to look at.

It holds scores, names and a keyed digest, never words. Where a policy of kept text lets
the request's words be kept, they are found by the same digest and read as always.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class JudgeDisagreement(models.Model):
    class State(models.TextChoices):
        OPEN = "open", "Waits for review"
        REVIEWED = "reviewed", "Reviewed"

    class Outcome(models.TextChoices):
        GATE = "gate", "The gate was right"
        JUDGE = "judge", "The judge was right"
        NEITHER = "neither", "Both were wrong"
        UNCLEAR = "unclear", "Cannot be told"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    gate = models.CharField(max_length=40)
    judge = models.CharField(max_length=60)
    judge_version = models.CharField(max_length=80)
    stage = models.CharField(max_length=10)
    locale = models.CharField(max_length=35)
    gate_decision = models.CharField(max_length=10)
    gate_score = models.FloatField()
    judge_score = models.FloatField()
    distance = models.FloatField(help_text="How far apart the scores are, 0 to 1.")
    text_digest = models.CharField(max_length=80, db_index=True)
    policy_digest = models.CharField(max_length=80)
    found_at = models.DateTimeField(db_index=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["state", "-distance", "id"]
        default_permissions = ("view",)
        permissions = [
            ("review_judgedisagreement", "Can review disagreements of judges"),
            ("export_judgedisagreement", "Can export disagreements of judges"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["gate", "judge", "stage", "text_digest", "policy_digest"],
                name="judgedisagreement_once_a_text",
            ),
            models.CheckConstraint(
                condition=Q(distance__gte=0.0, distance__lte=1.0),
                name="judgedisagreement_distance",
            ),
            models.CheckConstraint(
                condition=Q(
                    state="open",
                    outcome="",
                    reviewed_by__isnull=True,
                    reviewed_at__isnull=True,
                )
                | (
                    Q(
                        state="reviewed",
                        reviewed_by__isnull=False,
                        reviewed_at__isnull=False,
                    )
                    & ~Q(outcome="")
                ),
                name="judgedisagreement_reviewed_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.judge} and {self.gate}, {self.distance:.2f} apart"
