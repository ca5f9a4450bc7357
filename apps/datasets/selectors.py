"""Reading datasets: versions by digest, their rows, what validation said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.conf import settings
from django.db.models import QuerySet

from apps.core.digests import digest_json
from apps.core.errors import NotFound
from apps.core.plugins import load_family
from apps.datasets.contracts import (
    DatasetValidator,
    Row,
    Scalar,
    ValidationContext,
    parse_schema,
)
from apps.datasets.errors import NotFrozen
from apps.datasets.models import Dataset, DatasetVersion, ValidationReport
from apps.datasets.storage import verified_rows

SUBJECT_LABEL = "datasets.datasetversion"


def dataset_named(name: str) -> Dataset:
    """The dataset of this name; NotFound when there is none."""
    try:
        return Dataset.objects.select_related("owner").get(name=name)
    except Dataset.DoesNotExist as error:
        raise NotFound(f"There is no dataset named {name}.") from error


def versions_of(name: str) -> QuerySet[DatasetVersion]:
    """All versions of a dataset, newest first."""
    return (
        DatasetVersion.objects.filter(dataset__name=name)
        .select_related("dataset", "author", "frozen_by")
        .order_by("-number")
    )


def version_numbered(name: str, number: int) -> DatasetVersion:
    """One version of a dataset; NotFound when there is none."""
    found = versions_of(name).filter(number=number).first()
    if found is None:
        raise NotFound(f"The dataset {name} has no version {number}.")
    return found


def frozen_version(digest: str) -> DatasetVersion:
    """The frozen version with this digest.

    NotFound when nothing has it; NotFrozen when the version is not, or is retired.
    """
    found = (
        DatasetVersion.objects.filter(digest=digest).select_related("dataset").first()
    )
    if found is None:
        raise NotFound(f"No dataset version has the digest {digest}.")
    if not found.is_frozen:
        raise NotFrozen(
            f"{found.dataset.name} version {found.number} is {found.state}: only a "
            "frozen version may be used."
        )
    return found


def rows_with_locators(version: DatasetVersion) -> Iterator[Row]:
    """Stored rows with their positions; StoredContentChanged as ``iter_rows``."""
    return verified_rows(version.stored_as, version.digest)


def iter_rows(version: DatasetVersion) -> Iterator[Mapping[str, Scalar]]:
    """Stored rows in order, verified against the digest while streaming.

    Raises StoredContentChanged, at the latest in place of the last row, when the bytes
    are not those that were recorded. Act on the rows only after reading to the end.
    """
    return (row.values for row in rows_with_locators(version))


def latest_report(version: DatasetVersion) -> ValidationReport | None:
    """The last validation of a version with its findings; None before the first."""
    return version.reports.prefetch_related("findings").order_by("-id").first()


def validator_family() -> dict[str, type[DatasetValidator]]:
    """The validators in use, by name, in the order of the settings."""
    return load_family(settings.PE_DATASET_VALIDATORS, DatasetValidator)  # type: ignore[type-abstract]


def validation_context(version: DatasetVersion) -> ValidationContext:
    """What the validators are told about a version."""
    return ValidationContext(
        schema=parse_schema(version.schema),
        licence=version.dataset.licence,
        allowed_licences=frozenset(settings.PE_DATASET_LICENCES),
    )


def subject_digest(version: DatasetVersion) -> str:
    """What people sign for: rows, schema, licence, lineage and the last findings.

    Wider than ``version.digest``: a new validation or a changed licence voids it.
    """
    report = latest_report(version)
    return digest_json(
        {
            "dataset": version.dataset.name,
            "number": version.number,
            "content": version.digest,
            "schema": version.schema,
            "licence": version.dataset.licence,
            "parent": str(version.parent_id or ""),
            "validation": report_summary(report) if report else None,
        }
    )


def report_summary(report: ValidationReport) -> dict[str, object]:
    """A report as JSON: what ran, and codes with counts."""
    return {
        "passed": report.passed,
        "validators": report.validators,
        "findings": [
            {"code": found.code, "severity": found.severity, "count": found.count}
            for found in sorted(report.findings.all(), key=lambda found: found.code)
        ],
    }
