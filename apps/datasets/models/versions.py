"""Datasets, their versions, and what validation found in them.

A version's rows live in a file named by its digest; the row here says who made it, what
stands in it and how far it has come. Content never changes: another content is another
version. Nothing here is deleted, and the state is moved by services only.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

SLUG = RegexValidator(
    r"^[a-z0-9]+(?:-[a-z0-9]+)*\Z", "Small letters, digits and single hyphens only."
)


class Dataset(models.Model):
    """A named line of versions with one purpose, one licence and one row schema."""

    name = models.CharField(max_length=60, unique=True, validators=[SLUG])
    title = models.CharField(max_length=120)
    purpose = models.TextField()
    licence = models.CharField(max_length=40)
    schema = models.JSONField(help_text="Fields of a row, and the roles they play.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="datasets"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(licence="") & ~Q(purpose=""),
                name="dataset_described",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DatasetVersion(models.Model):
    """One immutable content of a dataset, known by the digest of its rows."""

    class State(models.TextChoices):
        INGESTED = "ingested", "Ingested"
        VALIDATED = "validated", "Validated"
        QUARANTINED = "quarantined", "Quarantined"
        SUBMITTED = "submitted", "Submitted"
        APPROVED = "approved", "Approved"
        FROZEN = "frozen", "Frozen"
        RETIRED = "retired", "Retired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(
        Dataset, on_delete=models.PROTECT, related_name="versions"
    )
    number = models.PositiveIntegerField()
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        related_name="children",
        null=True,
        blank=True,
        help_text="The version that this one was made from.",
    )
    state = models.CharField(
        max_length=12, choices=State.choices, default=State.INGESTED
    )
    digest = models.CharField(
        max_length=71, unique=True, help_text="SHA-256 over the canonical rows."
    )
    source_digest = models.CharField(
        max_length=71, help_text="SHA-256 of the file as it was handed in."
    )
    schema = models.JSONField(help_text="The schema of the dataset at ingestion.")
    row_count = models.PositiveIntegerField()
    size_bytes = models.PositiveBigIntegerField()
    stored_as = models.CharField(max_length=120)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="dataset_versions",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    frozen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="frozen_dataset_versions",
        null=True,
        blank=True,
    )
    frozen_at = models.DateTimeField(null=True, blank=True)
    retired_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="retired_dataset_versions",
        null=True,
        blank=True,
    )
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_because = models.TextField(blank=True)

    class Meta:
        ordering = ["dataset__name", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "number"], name="dataset_version_numbered_once"
            ),
            models.CheckConstraint(
                condition=Q(number__gte=1, row_count__gte=1),
                name="dataset_version_has_rows",
            ),
            models.CheckConstraint(
                condition=Q(digest__startswith="sha256:"),
                name="dataset_version_digest_form",
            ),
            models.CheckConstraint(
                condition=Q(frozen_at__isnull=True, frozen_by__isnull=True)
                | Q(frozen_at__isnull=False, frozen_by__isnull=False),
                name="dataset_version_frozen_who_and_when",
            ),
            models.CheckConstraint(
                condition=Q(
                    state="retired",
                    retired_at__isnull=False,
                    retired_by__isnull=False,
                )
                & ~Q(retired_because="")
                | ~Q(state="retired")
                & Q(
                    retired_at__isnull=True,
                    retired_by__isnull=True,
                    retired_because="",
                ),
                name="dataset_version_retired_who_when_why",
            ),
            models.CheckConstraint(
                condition=Q(state="retired")
                | Q(state="frozen", frozen_at__isnull=False)
                | (~Q(state="frozen") & Q(frozen_at__isnull=True)),
                name="dataset_version_frozen_state",
            ),
        ]
        permissions = [
            ("ingest_datasetversion", "Can ingest dataset versions"),
            ("validate_datasetversion", "Can validate dataset versions"),
            ("submit_datasetversion", "Can submit dataset versions for approval"),
            ("freeze_datasetversion", "Can freeze dataset versions"),
            ("retire_datasetversion", "Can retire dataset versions"),
        ]

    def __str__(self) -> str:
        return f"Dataset version {self.number} ({self.digest[:15]})"

    @property
    def is_frozen(self) -> bool:
        return self.state == self.State.FROZEN


class ValidationReport(models.Model):
    """One run of the validators over one version."""

    version = models.ForeignKey(
        DatasetVersion, on_delete=models.PROTECT, related_name="reports"
    )
    passed = models.BooleanField()
    row_count = models.PositiveIntegerField()
    validators = models.JSONField(help_text="Validator names with their versions.")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"Report {self.pk}: {'passed' if self.passed else 'errors'}"


class ValidationFinding(models.Model):
    """What one validator found; it points at rows and never holds their values."""

    class Severity(models.TextChoices):
        INFO = "info", "Info"
        WARNING = "warning", "Warning"
        ERROR = "error", "Error"

    report = models.ForeignKey(
        ValidationReport, on_delete=models.PROTECT, related_name="findings"
    )
    validator = models.CharField(max_length=40)
    code = models.CharField(max_length=80)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    count = models.PositiveIntegerField()
    locators = models.JSONField(
        default=list, help_text="Numbers of the first rows concerned."
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["report", "code"], name="dataset_finding_once_per_report"
            ),
            models.CheckConstraint(
                condition=Q(count__gte=1), name="dataset_finding_counts_something"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.count}"
