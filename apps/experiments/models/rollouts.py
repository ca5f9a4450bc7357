"""Rollouts, their arms, and what shadows would have said: decisions, never words.

The plan is written once. State and step are moved by services with conditional updates;
which participant met which arm is stored nowhere but as a reason on the request.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.inference.models import OUTCOMES
from apps.models_registry.models import ModelVersion, RegisteredModel


class Rollout(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        SUBMITTED = "submitted", "Submitted for sign-off"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        RUNNING = "running", "Running"
        COMPLETED = "completed", "Completed: a candidate was promoted"
        STOPPED = "stopped", "Stopped by a person"
        ROLLED_BACK = "rolled_back", "Rolled back by the platform"

    ENDED_STATES = (State.COMPLETED, State.STOPPED, State.ROLLED_BACK)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model = models.ForeignKey(
        RegisteredModel, on_delete=models.PROTECT, related_name="rollouts"
    )
    plan = models.JSONField()
    salt = models.CharField(max_length=32, help_text="Shuffles this rollout alone.")
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    step = models.PositiveSmallIntegerField(default=0)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="rollouts",
        help_text="Who planned it; may never sign for it.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    step_started_at = models.DateTimeField(null=True, blank=True)
    watched_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=300, blank=True)
    evidence = models.JSONField(
        default=dict, blank=True, help_text="The findings at the end."
    )

    class Meta:
        ordering = ["-created_at"]
        permissions = [
            ("submit_rollout", "Can submit rollouts for sign-off"),
            ("start_rollout", "Can start approved rollouts"),
            ("step_rollout", "Can lead a rollout to its next step"),
            ("stop_rollout", "Can stop a rollout: the kill switch"),
            ("watch_rollout", "Can roll back: the watcher of rollouts"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["model"],
                condition=Q(state="running"),
                name="rollout_one_running_per_model",
            ),
            models.CheckConstraint(
                condition=~Q(state="running")
                | Q(
                    started_at__isnull=False,
                    step_started_at__isnull=False,
                    ended_at__isnull=True,
                ),
                name="rollout_running_has_begun",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["completed", "stopped", "rolled_back"],
                    ended_at__isnull=False,
                )
                & ~Q(end_reason="")
                | ~Q(state__in=["completed", "stopped", "rolled_back"])
                & Q(ended_at__isnull=True),
                name="rollout_ended_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"rollout {str(self.pk)[:8]} ({self.state})"

    @property
    def is_running(self) -> bool:
        return self.state == self.State.RUNNING


class RolloutArm(models.Model):
    """A version in a rollout, by the digest it had when the plan was written."""

    rollout = models.ForeignKey(Rollout, on_delete=models.PROTECT, related_name="arms")
    name = models.SlugField(max_length=20)
    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="rollout_arms"
    )
    version_digest = models.CharField(max_length=80)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["rollout", "name"], name="rollout_arm_once_by_name"
            ),
            models.UniqueConstraint(
                fields=["rollout", "version"], name="rollout_arm_once_by_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}: version {self.version.number}"


class ShadowComparison(models.Model):
    """What a shadow would have come to, beside what was served; no words of either."""

    rollout = models.ForeignKey(
        Rollout, on_delete=models.PROTECT, related_name="comparisons"
    )
    step = models.PositiveSmallIntegerField()
    arm = models.SlugField(max_length=20)
    record_id = models.UUIDField()
    served_decision = models.CharField(max_length=12, choices=OUTCOMES)
    shadow_decision = models.CharField(max_length=12, choices=OUTCOMES)
    is_same_reply = models.BooleanField()
    served_ms = models.FloatField()
    shadow_ms = models.FloatField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["rollout", "arm", "record_id"], name="shadow_once_per_request"
            )
        ]
        indexes = [
            models.Index(fields=["rollout", "step", "arm"], name="shadow_of_a_step")
        ]

    def __str__(self) -> str:
        return f"{self.arm}: {self.served_decision}, {self.shadow_decision}"
