"""Models, their immutable versions, and the artifacts those are made of.

A version's state is moved by services only; what it was signed with is recomputed from
its rows (``selectors.version_digest``), never stored where it could go stale.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

DIGEST_LENGTH = 71


class RegisteredModel(models.Model):
    class Task(models.TextChoices):
        SUPPORT_REPLY = "support_reply", "Support reply"
        GATE_CLASSIFIER = "gate_classifier", "Gate classifier"

    name = models.SlugField(max_length=60, unique=True)
    task = models.CharField(max_length=30, choices=Task.choices)
    description = models.TextField()
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="registered_models",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="model_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Artifact(models.Model):
    """Bytes with a digest. Stored once, never changed."""

    class Kind(models.TextChoices):
        SAFETENSORS = "safetensors", "safetensors"
        ONNX = "onnx", "ONNX"
        TFLITE = "tflite", "LiteRT (.tflite)"
        JSON = "json", "JSON"
        CHECKPOINT = "checkpoint", "Training checkpoint (safetensors)"

    digest = models.CharField(max_length=DIGEST_LENGTH, primary_key=True)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    size_bytes = models.PositiveBigIntegerField()
    path = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(digest__startswith="sha256:"),
                name="artifact_digest_is_sha256",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.digest[7:19]}"


class ModelVersion(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        CANDIDATE = "candidate", "Candidate: all required reports are there"
        SUBMITTED = "submitted", "Submitted for sign-off"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        RETIRED = "retired", "Retired"

    # In these states the card and the reports may change.
    OPEN_STATES = (State.DRAFT, State.CANDIDATE, State.SUBMITTED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model = models.ForeignKey(
        RegisteredModel, on_delete=models.PROTECT, related_name="versions"
    )
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    run = models.OneToOneField(
        "models_registry.TrainingRun", on_delete=models.PROTECT, related_name="version"
    )
    adapter = models.CharField(max_length=60)
    artifacts = models.JSONField(help_text="File name to artifact digest.")
    signature = models.JSONField(help_text="Names, shapes and dtypes.")
    card = models.TextField(blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="model_versions",
        help_text="Who had it trained; may never sign for it.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["model", "number"], name="version_number_once_per_model"
            ),
            models.CheckConstraint(
                condition=Q(number__gte=1), name="version_number_from_one"
            ),
        ]
        permissions = [
            ("evaluate_modelversion", "Can have model versions evaluated"),
            ("submit_modelversion", "Can describe and submit model versions"),
            ("promote_modelversion", "Can promote approved model versions"),
            ("retire_modelversion", "Can retire model versions"),
        ]

    def __str__(self) -> str:
        return f"version {self.number} ({self.state})"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN_STATES
