"""What the database itself refuses."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from apps.core.actors import Actor
from apps.datasets import services
from apps.datasets.models import Dataset, DatasetVersion, ValidationFinding

Advance = Callable[..., DatasetVersion]


def changed(version: DatasetVersion, **fields: object) -> None:
    with transaction.atomic():
        DatasetVersion.objects.filter(pk=version.pk).update(**fields)


WRONG = {
    "frozen state without when": {"state": "frozen"},
    "when without who": {"state": "frozen", "frozen_at": timezone.now()},
    "frozen date in another state": {"frozen_at": timezone.now(), "frozen_by_id": 1},
    "retired without who, when and why": {"state": "retired"},
    "retirement reason in another state": {"retired_because": "old"},
    "no rows": {"row_count": 0},
    "number zero": {"number": 0},
    "digest of another form": {"digest": "md5:0"},
}


@pytest.mark.parametrize("name", WRONG)
def test_version_that_contradicts_itself_is_refused(
    ingest: Advance, operator: Actor, name: str
) -> None:
    fields = dict(WRONG[name])
    if "frozen_by_id" in fields:
        fields["frozen_by_id"] = int(operator.id)

    with pytest.raises(IntegrityError):
        changed(ingest(), **fields)


def test_number_and_digest_are_taken_once(ingest: Advance) -> None:
    from tests.datasets.rows import eight_rows

    first, second = ingest(), ingest(eight_rows()[:6])

    with pytest.raises(IntegrityError):
        changed(second, number=first.number)
    with pytest.raises(IntegrityError):
        changed(second, digest=first.digest)


def test_dataset_without_a_description_is_refused(dataset: Dataset) -> None:
    for field in ("name", "licence", "purpose"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Dataset.objects.filter(pk=dataset.pk).update(**{field: ""})


def test_finding_counts_something_and_stands_once(
    ingest: Advance, operator: Actor
) -> None:
    report = services.validate_version(actor=operator, version_id=str(ingest().pk))
    ValidationFinding.objects.create(report=report, code="x", count=1)

    for code, count in (("x", 1), ("y", 0)):
        with pytest.raises(IntegrityError), transaction.atomic():
            ValidationFinding.objects.create(report=report, code=code, count=count)


def test_governed_rows_hold_on_to_what_they_name(ingest: Advance) -> None:
    version = ingest()

    with pytest.raises(ProtectedError):
        version.dataset.delete()
    with pytest.raises(ProtectedError):
        version.author.delete()


def test_rows_say_what_they_are(ingest: Advance, operator: Actor) -> None:
    version = ingest()
    report = services.validate_version(actor=operator, version_id=str(version.pk))

    assert str(version.dataset) == "small-messages"
    assert str(version).startswith("Dataset version 1 (sha256:")
    assert str(report) == f"Report {report.pk}: passed"
    assert str(ValidationFinding(code="a.b", count=2)) == "a.b: 2"
