"""Reading frozen versions and their rows, and the start-up checks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from apps.core.actors import Actor
from apps.core.errors import NotFound
from apps.datasets import selectors, services
from apps.datasets.errors import NotFrozen, StoredContentChanged
from apps.datasets.models import DatasetVersion
from apps.datasets.subjects import DatasetVersionSubject
from tests.datasets.rows import eight_rows, values

Advance = Callable[..., DatasetVersion]


def test_frozen_version_is_found_by_its_digest(frozen: DatasetVersion) -> None:
    assert selectors.frozen_version(frozen.digest) == frozen


def test_version_that_is_not_frozen_is_refused(ingest: Advance) -> None:
    version = ingest()

    with pytest.raises(NotFrozen, match="ingested"):
        selectors.frozen_version(version.digest)


def test_retired_version_is_no_longer_handed_out(
    frozen: DatasetVersion, operator: Actor
) -> None:
    services.retire_version(actor=operator, version_id=str(frozen.pk), reason="Old")

    with pytest.raises(NotFrozen, match="retired"):
        selectors.frozen_version(frozen.digest)


@pytest.mark.django_db
def test_unknown_digest_name_and_number_are_not_found(ingest: Advance) -> None:
    ingest()

    with pytest.raises(NotFound):
        selectors.frozen_version("sha256:" + "0" * 64)
    with pytest.raises(NotFound):
        selectors.dataset_named("nothing")
    with pytest.raises(NotFound):
        selectors.version_numbered("small-messages", 7)
    with pytest.raises(NotFound):
        DatasetVersionSubject().facts("not a uuid")


def test_rows_come_back_as_they_went_in(ingest: Advance) -> None:
    rows = [*eight_rows(age=3, weight=1.5, adult=False), values(9, text="naïve 🙂")]

    version = ingest(rows)

    assert list(selectors.iter_rows(version)) == rows


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content.replace(b"garden", b"harbor"),
        lambda content: content[: content.index(b"\n") + 1],
        lambda content: content + b"{}\n",
        lambda content: content[:-5],
        lambda content: b"not json\n" + content,
        lambda content: b"[]\n" + content,
        lambda content: b"",
    ],
)
def test_reading_changed_bytes_to_the_end_always_fails(
    ingest: Advance, media: Path, damage: Callable[[bytes], bytes]
) -> None:
    version = ingest()
    stored = media / version.stored_as
    stored.write_bytes(damage(stored.read_bytes()))

    with pytest.raises(StoredContentChanged):
        list(selectors.iter_rows(version))


def test_reading_a_missing_file_fails(ingest: Advance, media: Path) -> None:
    version = ingest()
    (media / version.stored_as).unlink()

    with pytest.raises(StoredContentChanged):
        list(selectors.iter_rows(version))


def test_versions_come_newest_first_in_one_query(
    ingest: Advance,
    django_assert_num_queries: Callable[..., object],
) -> None:
    ingest()
    ingest(eight_rows()[:6])

    with django_assert_num_queries(1):  # type: ignore[attr-defined]
        found = [
            (version.number, version.dataset.name, version.author.username)
            for version in selectors.versions_of("small-messages")
        ]

    assert found == [(2, "small-messages", "olga"), (1, "small-messages", "olga")]


def test_second_validation_changes_what_people_would_sign(
    ingest: Advance, operator: Actor, settings: Settings
) -> None:
    version = ingest()
    services.validate_version(actor=operator, version_id=str(version.pk))
    before = selectors.subject_digest(version)
    settings.PE_DATASET_VALIDATORS = settings.PE_DATASET_VALIDATORS[:1]

    services.validate_version(actor=operator, version_id=str(version.pk))

    assert selectors.subject_digest(version) != before


def test_equal_validation_leaves_what_people_sign_as_it_was(
    ingest: Advance, operator: Actor
) -> None:
    version = ingest()
    services.validate_version(actor=operator, version_id=str(version.pk))
    before = selectors.subject_digest(version)

    services.validate_version(actor=operator, version_id=str(version.pk))

    assert selectors.subject_digest(version) == before


def check_ids() -> set[str]:
    return {
        str(message.id) for message in run_checks() if "datasets" in str(message.id)
    }


def test_shipped_settings_pass_the_checks() -> None:
    assert check_ids() == set()


SCHEMA_VALIDATOR = "apps.datasets.validators.schema.SchemaValidator"


@pytest.mark.parametrize(
    ("validators", "check_id"),
    [
        (["apps.datasets.validators.nothing.Here"], "datasets.E001"),
        (["apps.datasets.contracts.Tally"], "datasets.E001"),
        ([SCHEMA_VALIDATOR, SCHEMA_VALIDATOR], "datasets.E001"),
        ([], "datasets.E002"),
    ],
)
def test_validators_that_cannot_be_used_stop_the_start(
    settings: Settings, validators: list[str], check_id: str
) -> None:
    settings.PE_DATASET_VALIDATORS = validators

    assert check_ids() == {check_id}


def test_no_accepted_licence_stops_the_start(settings: Settings) -> None:
    settings.PE_DATASET_LICENCES = []

    assert check_ids() == {"datasets.E003"}
