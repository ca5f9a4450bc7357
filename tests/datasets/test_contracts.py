"""Schemas as stored JSON, and tallies that keep no values."""

from __future__ import annotations

import pytest

from apps.datasets.contracts import MAX_LOCATORS, Severity, Tally, parse_schema
from apps.datasets.errors import SchemaInvalid
from tests.datasets.rows import SCHEMA, SCHEMA_JSON


def test_schema_knows_its_fields_and_their_roles() -> None:
    assert SCHEMA.by_name()["age"].type == "integer"
    assert SCHEMA.roles["licence"] == "license"
    assert SCHEMA.allowed("label") == ("calm", "worried")
    assert SCHEMA.allowed("subgroup") == ()


BAD = {
    "not an object": [],
    "no fields": {"roles": {}},
    "empty fields": {"fields": []},
    "field without name": {"fields": [{"type": "string"}]},
    "field with an empty name": {"fields": [{"name": ""}]},
    "unknown type": {"fields": [{"name": "a", "type": "blob"}]},
    "unknown property": {"fields": [{"name": "a", "regex": "x"}]},
    "unknown top level": {"fields": [{"name": "a"}], "rows": []},
    "name twice": {"fields": [{"name": "a"}, {"name": "a"}]},
    "allowed of another type": {"fields": [{"name": "a", "allowed": [1]}]},
    "allowed no list": {"fields": [{"name": "a", "allowed": "x"}]},
    "length of zero": {"fields": [{"name": "a", "max_length": 0}]},
    "length in words": {"fields": [{"name": "a", "max_length": "ten"}]},
    "unknown role": {**SCHEMA_JSON, "roles": {"colour": "id"}},
    "role of a missing field": {**SCHEMA_JSON, "roles": {"id": "nowhere"}},
}


@pytest.mark.parametrize("name", BAD)
def test_schema_that_is_wrong_is_refused(name: str) -> None:
    with pytest.raises(SchemaInvalid):
        parse_schema(BAD[name])


def test_tally_counts_everything_and_keeps_the_first_locators() -> None:
    tally = Tally({"b": Severity.INFO, "a": Severity.ERROR})
    for locator in range(1, 101):
        tally.add("a", locator)

    (finding,) = tally.findings()

    assert finding.count == 100
    assert finding.locators == tuple(range(1, MAX_LOCATORS + 1))
