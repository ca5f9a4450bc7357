"""People, a storage folder of its own, and versions in each state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from apps.accounts.roles import Role
from apps.approvals.models import ApprovalRequest
from apps.approvals.services import sign
from apps.core.actors import Actor
from apps.datasets import services
from apps.datasets.contracts import FileFormat
from apps.datasets.models import Dataset, DatasetVersion
from apps.datasets.services import DatasetDescription
from tests.datasets.rows import SCHEMA_JSON, eight_rows, jsonl, stream

Advance = Callable[..., DatasetVersion]


@pytest.fixture
def media(tmp_path: Path, settings: Settings) -> Path:
    """The storage folder of this test alone."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def operator(acting: Callable[..., Actor]) -> Actor:
    return acting("olga", Role.OPERATOR)


@pytest.fixture
def description() -> DatasetDescription:
    return DatasetDescription(
        "small-messages", "Small messages", "For tests.", "CC0-1.0", SCHEMA_JSON
    )


@pytest.fixture
def dataset(media: Path, operator: Actor, description: DatasetDescription) -> Dataset:
    return services.create_dataset(actor=operator, description=description)


@pytest.fixture
def ingest(dataset: Dataset, operator: Actor) -> Advance:
    """Ingest rows (eight good ones unless told otherwise)."""

    def make(rows: list[dict[str, object]] | None = None) -> DatasetVersion:
        return services.ingest_version(
            actor=operator,
            dataset=dataset,
            source=stream(jsonl(rows or eight_rows())),
            file_format=FileFormat.JSONL,
        )

    return make


@pytest.fixture
def submitted(ingest: Advance, operator: Actor) -> DatasetVersion:
    version = ingest()
    services.validate_version(actor=operator, version_id=str(version.pk))
    return services.submit_version(actor=operator, version_id=str(version.pk))


@pytest.fixture
def sign_both(acting: Callable[..., Actor]) -> Callable[[DatasetVersion], None]:
    """Two people of different roles sign for a submitted version."""
    signers = [acting("rena", Role.REVIEWER), acting("colm", Role.COMPLIANCE)]

    def make(version: DatasetVersion) -> None:
        request = ApprovalRequest.objects.get(
            subject_id=str(version.pk), state=ApprovalRequest.State.PENDING
        )
        for signer in signers:
            sign(
                actor=signer,
                request_id=str(request.pk),
                approve=True,
                meaning="Reviewed the findings",
                reason="Fit for its purpose",
            )
        version.refresh_from_db()

    return make


@pytest.fixture
def approved(
    submitted: DatasetVersion, sign_both: Callable[[DatasetVersion], None]
) -> DatasetVersion:
    sign_both(submitted)
    return submitted


@pytest.fixture
def frozen(approved: DatasetVersion, operator: Actor) -> DatasetVersion:
    return services.freeze_version(actor=operator, version_id=str(approved.pk))
