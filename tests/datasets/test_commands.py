"""The two commands: files in, findings out, exit codes that tell."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import User
from apps.accounts.roles import Role
from apps.datasets.models import Dataset, DatasetVersion
from tests.datasets.rows import SCHEMA_JSON, eight_rows, jsonl, values

DEMO = Path(__file__).resolve().parents[2] / "demo"


@pytest.fixture
def olga(person: Callable[..., User], media: Path) -> User:
    return person("olga", Role.OPERATOR)


@pytest.fixture
def rows_file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(jsonl(eight_rows()))
    return path


@pytest.fixture
def new_dataset(tmp_path: Path) -> list[str]:
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(SCHEMA_JSON))
    return [
        "--dataset=small", "--purpose=Tests", "--licence=CC0-1.0", f"--schema={schema}",
    ]  # fmt: skip


def call(name: str, *arguments: object) -> str:
    out = io.StringIO()
    call_command(name, *[str(argument) for argument in arguments], stdout=out)
    return out.getvalue()


def test_file_becomes_the_first_version_of_a_new_dataset(
    olga: User, rows_file: Path, new_dataset: list[str]
) -> None:
    out = call("ingest_dataset", rows_file, *new_dataset, "--as=olga")

    assert out == f"small version 1: 8 rows, {DatasetVersion.objects.get().digest}\n"


def test_known_dataset_needs_only_its_name(
    olga: User, rows_file: Path, new_dataset: list[str]
) -> None:
    call("ingest_dataset", rows_file, *new_dataset, "--as=olga")
    rows_file.write_bytes(jsonl(eight_rows()[:4]))

    out = call("ingest_dataset", rows_file, "--dataset=small", "--as=olga")

    assert out.startswith("small version 2: 4 rows")


def test_mistyped_dataset_name_founds_nothing(olga: User, rows_file: Path) -> None:
    with pytest.raises(CommandError, match="no dataset named smal"):
        call("ingest_dataset", rows_file, "--dataset=smal", "--as=olga")

    assert not Dataset.objects.exists()


def test_unknown_person_and_missing_permission_are_refused(
    olga: User, person: Callable[..., User], rows_file: Path, new_dataset: list[str]
) -> None:
    person("rena", Role.REVIEWER)

    with pytest.raises(CommandError, match="Nobody is named nobody"):
        call("ingest_dataset", rows_file, *new_dataset, "--as=nobody")
    with pytest.raises(CommandError, match=r"needs the permission"):
        call("ingest_dataset", rows_file, *new_dataset, "--as=rena")


def test_file_that_cannot_be_read_is_an_error(
    olga: User, tmp_path: Path, rows_file: Path, new_dataset: list[str]
) -> None:
    cut_off = tmp_path / "cut.jsonl"
    cut_off.write_bytes(rows_file.read_bytes()[:-9])
    other = tmp_path / "rows.xlsx"
    other.write_bytes(b"PK")

    with pytest.raises(CommandError, match="complete JSON object"):
        call("ingest_dataset", cut_off, *new_dataset, "--as=olga")
    with pytest.raises(CommandError, match="cannot be read"):
        call("ingest_dataset", tmp_path / "none.jsonl", *new_dataset, "--as=olga")
    with pytest.raises(CommandError, match="--format"):
        call("ingest_dataset", other, *new_dataset, "--as=olga")


def test_validation_prints_findings_and_exits_1_on_errors(
    olga: User, rows_file: Path, new_dataset: list[str]
) -> None:
    rows_file.write_bytes(jsonl([*eight_rows(), values(9, text="=1+1")]))
    call("ingest_dataset", rows_file, *new_dataset, "--as=olga")
    out = io.StringIO()

    with pytest.raises(SystemExit) as caught:
        call_command(
            "validate_dataset", "--dataset=small", "--number=1", "--as=olga", stdout=out
        )

    assert caught.value.code == 1
    assert "error    hazards.formula: 1 (rows 9)" in out.getvalue()
    assert "quarantined" in out.getvalue()


def test_version_that_is_not_there_cannot_be_validated(olga: User) -> None:
    with pytest.raises(CommandError, match="no version 4"):
        call("validate_dataset", "--dataset=small", "--number=4", "--as=olga")


def test_demo_dataset_is_ingested_and_passes(olga: User) -> None:
    call(
        "ingest_dataset",
        DEMO / "support_messages.jsonl",
        "--dataset=support-messages",
        "--as=olga",
        "--purpose=The demo",
        "--licence=CC0-1.0",
        f"--schema={DEMO / 'support_messages.schema.json'}",
    )

    out = call(
        "validate_dataset", "--dataset=support-messages", "--number=1", "--as=olga"
    )

    assert out.splitlines()[-1] == "passed"
