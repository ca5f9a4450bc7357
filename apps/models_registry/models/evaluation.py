"""Evaluation reports. Evaluators live above; the record lives here, beside the version
whose digest it is part of."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.models_registry.models.catalog import DIGEST_LENGTH, ModelVersion


class EvaluationReport(models.Model):
    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="reports"
    )
    evaluator = models.CharField(max_length=60)
    evaluator_version = models.CharField(max_length=20)
    dataset_digest = models.CharField(max_length=DIGEST_LENGTH)
    seed = models.PositiveBigIntegerField()
    metrics = models.JSONField()
    digest = models.CharField(max_length=DIGEST_LENGTH)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["evaluator", "created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "version",
                    "evaluator",
                    "evaluator_version",
                    "dataset_digest",
                    "seed",
                ],
                name="report_once_per_measurement",
            ),
            models.CheckConstraint(
                condition=Q(digest__startswith="sha256:"),
                name="report_digest_is_sha256",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.evaluator} {self.evaluator_version}"
