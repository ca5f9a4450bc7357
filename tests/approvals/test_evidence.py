"""Evidence is read as tables; what the subject wrote cannot become markup."""

from __future__ import annotations

import re

from apps.approvals.evidence import readable


def words(value: object) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", readable(value))).strip()


def test_names_and_values_are_read_in_order() -> None:
    assert words({"row_count": 7, "passed": True, "note": None}) == (
        "row count 7 passed yes note -"
    )


def test_alike_records_become_one_table() -> None:
    shown = readable([{"code": "a", "count": 1}, {"code": "b", "count": 2}])

    assert shown.count("<table") == 1
    assert words([{"code": "a", "count": 1}, {"code": "b", "count": 2}]) == (
        "code count a 1 b 2"
    )


def test_unlike_parts_stand_below_each_other() -> None:
    assert words([{"a": 1}, "two", [3]]) == "a 1 two 3"


def test_an_empty_list_says_none() -> None:
    assert words({"findings": []}) == "findings none"


def test_markup_in_a_value_or_a_name_is_escaped() -> None:
    shown = readable({"<b>": "<script>alert(1)</script>"})

    assert "<script>" not in shown
    assert "<b>" not in shown
