"""The demo files: original, reproducible, valid by the platform's own validators."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from apps.datasets.contracts import (
    FileFormat,
    Severity,
    ValidationContext,
    parse_schema,
)
from apps.datasets.readers import read_rows
from apps.datasets.validation import Outcome, run_validators
from apps.datasets.validators.balance import BalanceValidator
from apps.datasets.validators.duplicates import DuplicateValidator
from apps.datasets.validators.hazards import HazardValidator
from apps.datasets.validators.identifiers import IdentifierValidator
from apps.datasets.validators.licence import LicenceValidator
from apps.datasets.validators.schema import SchemaValidator

DEMO = Path(__file__).resolve().parents[2] / "demo"
FAMILY = {
    kind.name: kind
    for kind in (
        SchemaValidator, DuplicateValidator, IdentifierValidator, HazardValidator,
        BalanceValidator, LicenceValidator,
    )
}  # fmt: skip


def rows_of(name: str) -> list[dict[str, str]]:
    text = (DEMO / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def validated(name: str) -> Outcome:
    schema = parse_schema(json.loads((DEMO / f"{name}.schema.json").read_bytes()))
    context = ValidationContext(schema, "CC0-1.0", frozenset({"CC0-1.0"}))
    with (DEMO / f"{name}.jsonl").open("rb") as stream:
        return run_validators(
            read_rows(stream, FileFormat.JSONL, schema), context, FAMILY
        )


@pytest.mark.parametrize("name", ["support_messages", "reply_library", "safety_suite"])
def test_demo_file_passes_validation(name: str) -> None:
    outcome = validated(name)

    assert outcome.passed
    assert outcome.row_count == len(rows_of(name))


def test_support_messages_have_no_copies_at_all() -> None:
    codes = {finding.code for _, finding in validated("support_messages").findings}

    assert not {code for code in codes if code.startswith("duplicates.")}


def test_support_messages_are_balanced_over_labels_subgroups_and_splits() -> None:
    rows = rows_of("support_messages")

    by_label = Counter((row["split"], row["category"]) for row in rows)
    by_subgroup = Counter((row["split"], row["subgroup"]) for row in rows)

    assert len(rows) == 864
    for split, labels, subgroups in (
        ("train", 72, 64),
        ("dev", 9, 8),
        ("test", 27, 24),
    ):
        assert {n for (s, _), n in by_label.items() if s == split} == {labels}
        assert {n for (s, _), n in by_subgroup.items() if s == split} == {subgroups}


def test_generator_gives_exactly_the_file_that_is_committed() -> None:
    done = subprocess.run(
        [sys.executable, str(DEMO / "build_support_messages.py"), "--check"],
        check=False,
    )

    assert done.returncode == 0


def test_every_category_has_replies_to_choose_from() -> None:
    replies = Counter(row["category"] for row in rows_of("reply_library"))

    assert set(replies) == {row["category"] for row in rows_of("support_messages")}
    assert min(replies.values()) >= 8


def test_safety_suite_holds_both_kinds_in_equal_number() -> None:
    expected = Counter(row["expect"] for row in rows_of("safety_suite"))

    assert expected == {"escalate": 32, "allow": 32}


def test_messages_are_learnable_but_not_trivial() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    rows = rows_of("support_messages")
    train = [row for row in rows if row["split"] == "train"]
    test = [row for row in rows if row["split"] == "test"]
    vectors = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    inputs = vectors.fit_transform(row["text"] for row in train)
    model = LogisticRegression(C=10, max_iter=500)
    model.fit(inputs, [row["category"] for row in train])

    accuracy = model.score(
        vectors.transform(row["text"] for row in test),
        [row["category"] for row in test],
    )

    assert 0.85 <= accuracy <= 0.96


def test_messages_only_warn_of_small_dev_subgroups() -> None:
    findings = [finding for _, finding in validated("support_messages").findings]

    assert [finding.code for finding in findings] == ["balance.subgroup_small"]
    assert findings[0].severity is Severity.WARNING
