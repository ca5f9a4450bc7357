"""What a signer is told has changed."""

from __future__ import annotations

from apps.safety.differences import ABSENT, Change, changes_between


def test_equal_documents_have_no_changes() -> None:
    assert list(changes_between({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]})) == []


def test_a_changed_leaf_is_named_by_its_place() -> None:
    before = {"gates": [{"name": "crisis", "input": {"high": 0.5}}]}
    after = {"gates": [{"name": "crisis", "input": {"high": 0.4}}]}

    assert list(changes_between(before, after)) == [
        Change("gates / crisis / input / high", 0.5, 0.4)
    ]


def test_what_was_added_or_taken_away_is_absent_on_one_side() -> None:
    found = list(changes_between({"a": 1, "c": [1, 2]}, {"b": 2, "c": [1]}))

    assert found == [
        Change("a", 1, ABSENT),
        Change("c / 2", 2, ABSENT),
        Change("b", ABSENT, 2),
    ]
