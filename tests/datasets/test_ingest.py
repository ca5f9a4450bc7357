"""Taking files in: all of a file becomes a version, or nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from apps.audit.models import AuditEntry
from apps.core.actors import Actor
from apps.core.errors import InvalidInput, StateConflict
from apps.datasets import services, storage
from apps.datasets.contracts import FileFormat
from apps.datasets.errors import (
    AlreadyIngested,
    SchemaInvalid,
    UnreadableDataset,
)
from apps.datasets.models import Dataset, DatasetVersion
from apps.datasets.services import DatasetDescription, ingesting
from tests.datasets.rows import eight_rows, jsonl, stream, values

Advance = Callable[..., DatasetVersion]


def files_in(media: Path) -> list[Path]:
    return [path for path in media.rglob("*") if path.is_file()]


def events() -> list[str]:
    entries = AuditEntry.objects.filter(event__startswith="datasets.")
    return list(entries.order_by("id").values_list("event", flat=True))


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Not A Slug"},
        {"name": ""},
        {"title": " "},
        {"purpose": ""},
        {"licence": "CC-BY-NC-4.0"},
        {"schema": {"fields": []}},
    ],
)
def test_dataset_that_is_not_described_is_refused(
    operator: Actor, description: DatasetDescription, change: dict[str, object]
) -> None:
    wrong = dataclasses.replace(description, **change)  # type: ignore[arg-type]

    with pytest.raises(InvalidInput):
        services.create_dataset(actor=operator, description=wrong)


def test_schema_error_has_its_own_code(
    operator: Actor, description: DatasetDescription
) -> None:
    with pytest.raises(SchemaInvalid):
        services.create_dataset(
            actor=operator, description=dataclasses.replace(description, schema={})
        )


def test_dataset_name_is_taken_once(
    dataset: Dataset, operator: Actor, description: DatasetDescription
) -> None:
    with pytest.raises(StateConflict, match="small-messages already"):
        services.create_dataset(actor=operator, description=description)


def test_versions_are_numbered_and_know_their_parent(
    dataset: Dataset, ingest: Advance, operator: Actor
) -> None:
    first = ingest()

    second = services.ingest_version(
        actor=operator,
        dataset=dataset,
        source=stream(jsonl(eight_rows()[:6])),
        file_format=FileFormat.JSONL,
        parent=first,
    )

    assert (first.number, second.number, second.parent) == (1, 2, first)


def test_parent_from_another_dataset_is_refused(
    ingest: Advance, operator: Actor, description: DatasetDescription
) -> None:
    other = services.create_dataset(
        actor=operator, description=dataclasses.replace(description, name="other")
    )

    with pytest.raises(InvalidInput, match="same dataset"):
        services.ingest_version(
            actor=operator,
            dataset=other,
            source=stream(jsonl(eight_rows()[:2])),
            file_format=FileFormat.JSONL,
            parent=ingest(),
        )


def test_identical_content_is_refused_with_the_version_that_has_it(
    ingest: Advance,
) -> None:
    first = ingest()

    with pytest.raises(AlreadyIngested, match="small-messages version 1") as caught:
        ingest()

    assert caught.value.extra == {"version": str(first.pk)}
    assert DatasetVersion.objects.count() == 1


def test_same_rows_written_another_way_are_identical_content(
    dataset: Dataset, ingest: Advance, operator: Actor
) -> None:
    ingest()
    spaced = jsonl(eight_rows()).replace(b'", "', b'" ,  "')

    with pytest.raises(AlreadyIngested):
        services.ingest_version(
            actor=operator,
            dataset=dataset,
            source=stream(spaced),
            file_format=FileFormat.JSONL,
        )


CUT_OFF = jsonl(eight_rows())[:-20]
UNREADABLE = {
    "cut off": CUT_OFF,
    "mixed encodings": jsonl(eight_rows()) + b'{"id": "caf\xe9"}\n',
    "lone surrogate": jsonl([values(1)]) + b'{"id": "\\ud800"}\n',
    "integer beyond JSON": b'{"age": 99999999999999999999}\n',
    "empty": b"",
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_file_leaves_nothing_behind(
    dataset: Dataset, operator: Actor, media: Path, name: str
) -> None:
    with pytest.raises(UnreadableDataset):
        services.ingest_version(
            actor=operator,
            dataset=dataset,
            source=stream(UNREADABLE[name]),
            file_format=FileFormat.JSONL,
        )

    assert files_in(media) == []
    assert not DatasetVersion.objects.exists()
    assert events() == ["datasets.dataset_created"]


def test_csv_with_a_wrong_header_leaves_nothing_behind(
    dataset: Dataset, operator: Actor, media: Path
) -> None:
    with pytest.raises(UnreadableDataset, match="header"):
        services.ingest_version(
            actor=operator,
            dataset=dataset,
            source=stream("id;text;label\nr1;a;calm\n"),
            file_format=FileFormat.CSV,
        )

    assert files_in(media) == []


def test_file_over_the_limit_is_refused(
    ingest: Advance, media: Path, settings: Settings
) -> None:
    settings.PE_DATASET_MAX_FILE_BYTES = 500

    with pytest.raises(UnreadableDataset, match="larger than 500 bytes"):
        ingest()

    assert files_in(media) == []


def test_row_over_the_limit_is_refused(ingest: Advance, settings: Settings) -> None:
    settings.PE_DATASET_MAX_ROW_BYTES = 50

    with pytest.raises(UnreadableDataset, match="longer than 50 bytes"):
        ingest()


def test_failure_while_recording_takes_the_stored_file_away(
    ingest: Advance, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def power_cut(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ingesting, "record_version_event", power_cut)

    with pytest.raises(KeyboardInterrupt):
        ingest()

    assert files_in(media) == []
    assert not DatasetVersion.objects.exists()


def test_damaged_leftover_under_the_digest_is_replaced(
    ingest: Advance, media: Path
) -> None:
    version = ingest()
    DatasetVersion.objects.all().delete()
    (media / version.stored_as).write_bytes(b"half a fi")

    again = ingest()

    storage.verify(again.stored_as, again.digest)
    assert len(files_in(media)) == 1


def test_sound_leftover_under_the_digest_is_used(ingest: Advance, media: Path) -> None:
    ingest()
    DatasetVersion.objects.all().delete()

    again = ingest()

    storage.verify(again.stored_as, again.digest)
    assert len(files_in(media)) == 1
