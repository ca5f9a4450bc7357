"""Training: what was asked for, who is doing it now, and what came out by step.

A run is held by lease: ``fencing_token`` grows with every claim, and a worker that lost
its lease cannot write, because every write names the token it was given.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.models_registry.models.catalog import DIGEST_LENGTH, Artifact, RegisteredModel


class TrainingManifest(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model = models.ForeignKey(
        RegisteredModel, on_delete=models.PROTECT, related_name="manifests"
    )
    document = models.JSONField()
    digest = models.CharField(max_length=DIGEST_LENGTH, unique=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="training_manifests",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"manifest {self.digest[7:19]}"


class ManifestDataset(models.Model):
    """One line of a manifest's datasets, so that lineage can be read backwards."""

    manifest = models.ForeignKey(
        TrainingManifest, on_delete=models.PROTECT, related_name="dataset_lines"
    )
    part = models.CharField(max_length=40)
    dataset_digest = models.CharField(max_length=DIGEST_LENGTH, db_index=True)

    class Meta:
        ordering = ["part"]
        constraints = [
            models.UniqueConstraint(
                fields=["manifest", "part"], name="manifest_part_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.part}: {self.dataset_digest}"


class TrainingRun(models.Model):
    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    OPEN_STATES = (State.QUEUED, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    manifest = models.ForeignKey(
        TrainingManifest, on_delete=models.PROTECT, related_name="runs"
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="training_runs",
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    lease_owner = models.CharField(max_length=120, blank=True)
    fencing_token = models.PositiveIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    step = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    failure_code = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    queued_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(state="running", lease_expires_at__isnull=False)
                    & ~Q(lease_owner="")
                )
                | (~Q(state="running") & Q(lease_owner="", lease_expires_at=None)),
                name="run_lease_only_while_running",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running"], finished_at__isnull=True)
                | Q(
                    state__in=["succeeded", "failed", "cancelled"],
                    finished_at__isnull=False,
                ),
                name="run_finished_when_closed",
            ),
            models.CheckConstraint(
                condition=(Q(state="failed") & ~Q(failure_code=""))
                | (~Q(state="failed") & Q(failure_code="")),
                name="run_failure_has_a_code",
            ),
            models.CheckConstraint(
                condition=Q(attempts__lte=F("fencing_token")),
                name="run_token_grows_with_attempts",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "lease_expires_at"], name="run_lost_leases")
        ]
        permissions = [
            ("queue_trainingrun", "Can queue training runs"),
            ("cancel_trainingrun", "Can cancel training runs"),
            ("run_trainingrun", "Can train: the training workers"),
        ]

    def __str__(self) -> str:
        return f"run {str(self.pk)[:8]} ({self.state})"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN_STATES


class MetricPoint(models.Model):
    run = models.ForeignKey(
        TrainingRun, on_delete=models.PROTECT, related_name="metrics"
    )
    step = models.PositiveIntegerField()
    name = models.CharField(max_length=60)
    value = models.FloatField()

    class Meta:
        ordering = ["step", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "step", "name"], name="metric_once_per_step"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} at {self.step}: {self.value:.4f}"


class Checkpoint(models.Model):
    run = models.ForeignKey(
        TrainingRun, on_delete=models.PROTECT, related_name="checkpoints"
    )
    step = models.PositiveIntegerField()
    artifact = models.ForeignKey(
        Artifact, on_delete=models.PROTECT, related_name="checkpoints"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-step"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "step"], name="checkpoint_once_per_step"
            )
        ]

    def __str__(self) -> str:
        return f"checkpoint at step {self.step}"
