"""Promotion policies and accepted risks: both signed for, neither ever edited."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.models_registry.models import ModelVersion, RegisteredModel


class PromotionPolicy(models.Model):
    class State(models.TextChoices):
        SUBMITTED = "submitted", "Submitted for sign-off"
        IN_FORCE = "in_force", "In force"
        REJECTED = "rejected", "Not approved"
        RETIRED = "retired", "Retired: a later one is in force"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model = models.ForeignKey(
        RegisteredModel, on_delete=models.PROTECT, related_name="promotion_policies"
    )
    document = models.JSONField()
    state = models.CharField(
        max_length=12, choices=State.choices, default=State.SUBMITTED
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="promotion_policies",
        help_text="Who wrote it; may never sign for it.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "promotion policies"
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["model"],
                condition=Q(state="in_force"),
                name="promotion_policy_one_in_force",
            )
        ]

    def __str__(self) -> str:
        return f"promotion policy {str(self.pk)[:8]} ({self.state})"


class AcceptedRisk(models.Model):
    """A rule that a version may miss until a day, on the word of two people."""

    class State(models.TextChoices):
        SUBMITTED = "submitted", "Waits for a second person"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Not accepted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="accepted_risks"
    )
    policy = models.ForeignKey(
        PromotionPolicy, on_delete=models.PROTECT, related_name="accepted_risks"
    )
    rule = models.CharField(max_length=240)
    reason = models.TextField()
    expires_at = models.DateTimeField()
    state = models.CharField(
        max_length=12, choices=State.choices, default=State.SUBMITTED
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="accepted_risks",
        help_text="Who answers for it; another person has to sign.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="risk_has_a_reason")
        ]

    def __str__(self) -> str:
        return f"risk {self.rule} ({self.state})"
