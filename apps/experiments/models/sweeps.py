"""Sweeps and their trials: what was searched, what each try was and came to.

These rows are the whole study. The sampler is given them anew each time it is asked,
so a sweep goes on from them whatever process died.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.models_registry.models import RegisteredModel, TrainingRun


class Sweep(models.Model):
    class State(models.TextChoices):
        RUNNING = "running", "Running"
        COMPLETED = "completed", "Completed"
        CANCELLED = "cancelled", "Cancelled"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model = models.ForeignKey(
        RegisteredModel, on_delete=models.PROTECT, related_name="sweeps"
    )
    document = models.JSONField()
    state = models.CharField(
        max_length=12, choices=State.choices, default=State.RUNNING
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="sweeps"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-created_at"]
        permissions = [
            ("cancel_sweep", "Can cancel sweeps"),
            ("advance_sweep", "Can lead sweeps on: the platform's own part"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="running", finished_at__isnull=True)
                | (~Q(state="running") & Q(finished_at__isnull=False)),
                name="sweep_finished_when_closed",
            ),
            models.CheckConstraint(
                condition=(Q(state="failed") & ~Q(failure=""))
                | (~Q(state="failed") & Q(failure="")),
                name="sweep_failure_is_said",
            ),
        ]

    def __str__(self) -> str:
        return f"sweep {str(self.pk)[:8]} ({self.state})"

    @property
    def is_running(self) -> bool:
        return self.state == self.State.RUNNING


class Trial(models.Model):
    class State(models.TextChoices):
        RUNNING = "running", "Running"
        COMPLETE = "complete", "Complete"
        PRUNED = "pruned", "Pruned: others were better at this step"
        FAILED = "failed", "Failed"

    sweep = models.ForeignKey(Sweep, on_delete=models.PROTECT, related_name="trials")
    number = models.PositiveIntegerField()
    values = models.JSONField(help_text="Hyper-parameters of the space.")
    run = models.OneToOneField(
        TrainingRun, on_delete=models.PROTECT, related_name="trial"
    )
    state = models.CharField(
        max_length=12, choices=State.choices, default=State.RUNNING
    )
    score = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["sweep", "number"], name="trial_number_once_per_sweep"
            ),
            models.CheckConstraint(
                condition=~Q(state="complete") | Q(score__isnull=False),
                name="trial_complete_has_a_score",
            ),
        ]

    def __str__(self) -> str:
        return f"trial {self.number} ({self.state})"
