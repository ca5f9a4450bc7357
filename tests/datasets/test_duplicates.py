"""Copies and near copies, within and across splits."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from apps.datasets.contracts import Severity
from apps.datasets.validators.duplicates import (
    DuplicateValidator,
    band_keys,
    jaccard,
    normalise,
    shingles,
)
from tests.datasets.rows import SCHEMA, eight_rows, found_by, values

LONG = (
    "The bus was late again and I stood in the rain thinking about the talk we had "
    "last week, and about how I never say what I mean when it matters to me."
)


def pair(first: str, second: str, *splits: str) -> list[dict[str, object]]:
    return [
        values(1, text=first, split=splits[0]),
        values(2, text=second, split=splits[-1]),
    ]


def test_different_texts_have_no_findings() -> None:
    assert found_by(DuplicateValidator, eight_rows()) == {}


def test_same_text_in_two_splits_is_leakage() -> None:
    found = found_by(DuplicateValidator, pair(LONG, LONG, "train", "test"))

    assert list(found) == ["duplicates.exact_across_splits"]
    assert found["duplicates.exact_across_splits"].severity is Severity.ERROR
    assert found["duplicates.exact_across_splits"].locators == (2,)


def test_same_text_within_a_split_is_a_warning() -> None:
    found = found_by(DuplicateValidator, pair(LONG, LONG, "train"))

    assert found["duplicates.exact"].severity is Severity.WARNING


@pytest.mark.parametrize(
    "copy", [LONG.upper(), LONG.replace(" ", "  "), LONG.replace("bus", "\uff42us")]
)
def test_case_spacing_and_width_do_not_hide_a_copy(copy: str) -> None:
    found = found_by(DuplicateValidator, pair(LONG, copy, "train", "test"))

    assert list(found) == ["duplicates.exact_across_splits"]


def test_text_with_one_word_changed_in_another_split_is_leakage() -> None:
    copy = LONG.replace("rain", "cold")

    found = found_by(DuplicateValidator, pair(LONG, copy, "train", "test"))

    assert list(found) == ["duplicates.near_across_splits"]
    assert found["duplicates.near_across_splits"].severity is Severity.ERROR


def test_near_copy_within_a_split_is_a_warning() -> None:
    found = found_by(
        DuplicateValidator, pair(LONG, LONG.replace("rain", "cold"), "train")
    )

    assert found["duplicates.near"].severity is Severity.WARNING


def test_copy_in_both_splits_counts_as_leakage_and_not_as_a_copy_within() -> None:
    rows = [*pair(LONG, LONG, "train", "test"), values(3, text=LONG, split="train")]

    found = found_by(DuplicateValidator, rows)

    assert found["duplicates.exact_across_splits"].count == 2


def test_repeated_id_is_an_error() -> None:
    found = found_by(DuplicateValidator, [values(1), values(2, id="r1")])

    assert found["duplicates.id"].locators == (2,)


def test_leakage_is_found_behind_many_copies_in_one_split() -> None:
    rows = [
        values(n, text=LONG.replace("week", f"week {n}"), split="train")
        for n in range(1, 40)
    ]
    rows.append(values(99, text=LONG, split="test"))

    found = found_by(DuplicateValidator, rows)

    assert found["duplicates.near_across_splits"].locators == (40,)


def test_texts_without_words_or_roles_are_no_trouble() -> None:
    schema = dataclasses.replace(SCHEMA, roles={"text": "text"})
    rows = [values(1, text="..."), values(1, text="\U0001f600"), values(1, text=" ")]

    assert "duplicates.exact" not in found_by(DuplicateValidator, rows, schema)


def test_pairs_above_the_threshold_nearly_always_share_a_band() -> None:
    rng = np.random.default_rng(7)
    met = 0
    for _ in range(200):
        common = rng.integers(0, 1 << 32, size=82, dtype=np.uint64)
        rest = rng.integers(0, 1 << 32, size=36, dtype=np.uint64)
        left = np.unique(np.concatenate([common, rest[:18]]))
        right = np.unique(np.concatenate([common, rest[18:]]))
        assert jaccard(left, right) == pytest.approx(82 / 118, abs=0.02)
        met += bool(set(band_keys(left)) & set(band_keys(right)))

    assert met >= 190


def test_unrelated_texts_share_no_band() -> None:
    left = band_keys(shingles(normalise(LONG)))
    right = band_keys(shingles(normalise("Nothing of this kind stands in the other.")))

    assert not set(left) & set(right)
