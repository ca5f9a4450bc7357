"""Two people at once: one of them is first, and the other is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from apps.accounts.roles import Role
from apps.approvals.models import ApprovalRequest
from apps.core.actors import Actor
from apps.core.errors import PlatformError, StateConflict
from apps.datasets import services
from apps.datasets.contracts import FileFormat
from apps.datasets.models import Dataset, DatasetVersion
from apps.datasets.services import DatasetDescription
from tests.datasets.rows import eight_rows, jsonl, stream

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(work: Callable[[], object], times: int = 2) -> list[PlatformError]:
    """Run ``work`` in threads that start together; what they raised."""
    gate, errors = threading.Barrier(times), []

    def run() -> None:
        try:
            gate.wait(timeout=10)
            work()
        except PlatformError as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return errors


@pytest.fixture
def someone(acting: Callable[..., Actor], media: Path) -> Actor:
    return acting("olga", Role.OPERATOR)


@pytest.fixture
def shared(someone: Actor, description: DatasetDescription) -> Dataset:
    return services.create_dataset(actor=someone, description=description)


def ingest(actor: Actor, dataset: Dataset) -> DatasetVersion:
    return services.ingest_version(
        actor=actor,
        dataset=dataset,
        source=stream(jsonl(eight_rows())),
        file_format=FileFormat.JSONL,
    )


def test_same_content_handed_in_twice_at_once_becomes_one_version(
    someone: Actor, shared: Dataset, media: Path
) -> None:
    errors = at_once(lambda: ingest(someone, shared))

    version = DatasetVersion.objects.get()
    assert [error.code for error in errors] == ["dataset_already_ingested"]
    assert [path.stem for path in media.rglob("*.jsonl")] == [version.digest[7:]]


def test_version_submitted_twice_at_once_has_one_request(
    someone: Actor, shared: Dataset
) -> None:
    key = str(ingest(someone, shared).pk)
    services.validate_version(actor=someone, version_id=key)

    errors = at_once(lambda: services.submit_version(actor=someone, version_id=key))

    assert len(errors) == 1
    assert isinstance(errors[0], StateConflict)
    assert ApprovalRequest.objects.count() == 1
