"""What each validator finds, and what it lets pass."""

from __future__ import annotations

import dataclasses

import pytest

from apps.datasets.contracts import Severity
from apps.datasets.validators.balance import BalanceValidator
from apps.datasets.validators.hazards import HazardValidator
from apps.datasets.validators.identifiers import IdentifierValidator, luhn_valid
from apps.datasets.validators.licence import LicenceValidator
from apps.datasets.validators.schema import SchemaValidator
from tests.datasets.rows import SCHEMA, eight_rows, found_by, values


def test_rows_that_fit_the_schema_have_no_findings() -> None:
    assert found_by(SchemaValidator, eight_rows(age=4, weight=2, adult=True)) == {}


SCHEMA_CASES = [
    ({"text": ...}, "schema.missing_field"),
    ({"text": None}, "schema.missing_field"),
    ({"extra": "x"}, "schema.unknown_field"),
    ({"text": 4}, "schema.wrong_type"),
    ({"age": "four"}, "schema.wrong_type"),
    ({"age": True}, "schema.wrong_type"),
    ({"adult": 1}, "schema.wrong_type"),
    ({"label": "angry"}, "schema.value_not_allowed"),
    ({"text": "  "}, "schema.empty_text"),
    ({"text": "x" * 501}, "schema.too_long"),
]


@pytest.mark.parametrize(("change", "code"), SCHEMA_CASES)
def test_schema_breach_is_an_error_at_its_row(
    change: dict[str, object], code: str
) -> None:
    found = found_by(SchemaValidator, [values(1), values(2, **change)])

    assert list(found) == [code]
    assert found[code].severity is Severity.ERROR
    assert found[code].locators == (2,)


IDENTIFIERS = [
    ("write to mara.k+1@post.example.org please", "identifiers.email"),
    ("see https://example.org/page", "identifiers.url"),
    ("see WWW.example.org", "identifiers.url"),
    ("my number is 078-05-1120", "identifiers.ssn"),
    ("card 4111 1111 1111 1111", "identifiers.card"),
    ("card 5500-0000-0000-0004", "identifiers.card"),
    ("ring +44 20 7946 0958", "identifiers.phone"),
    ("ring (212) 555-0147 today", "identifiers.phone"),
]


@pytest.mark.parametrize(("text", "code"), IDENTIFIERS)
def test_residual_identifier_is_an_error(text: str, code: str) -> None:
    found = found_by(IdentifierValidator, [values(1, text=text)])

    assert list(found) == [code]
    assert found[code].severity is Severity.ERROR


NEAR_MISSES = [
    "I slept 3 hours on 12 nights", "born in 1987, moved in 2004", "meet me @ the gym",
    "it was 50/50, 100 percent", "on 2026-11-23 we met", "version 1.2.3",
    "I am a 10 out of 10 today", "www", "a@b",
]  # fmt: skip


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_ordinary_numbers_and_signs_are_no_identifiers(text: str) -> None:
    assert found_by(IdentifierValidator, [values(1, text=text)]) == {}


def test_identifiers_are_looked_for_in_every_field() -> None:
    assert found_by(IdentifierValidator, [values(1, id="a.b@example.org")])


def test_one_row_with_many_identifiers_counts_once_for_each_kind() -> None:
    text = "a@example.org, b@example.org or +44 20 7946 0958"

    found = found_by(IdentifierValidator, [values(1, text=text)])

    assert {code: finding.count for code, finding in found.items()} == {
        "identifiers.email": 1,
        "identifiers.phone": 1,
    }


def test_finding_never_carries_a_value() -> None:
    found = found_by(IdentifierValidator, [values(1, text="a@example.org")])

    assert "example.org" not in str(found["identifiers.email"])


@pytest.mark.parametrize(
    ("digits", "valid"), [("4111111111111111", True), ("4111111111111112", False)]
)
def test_luhn_checksum_tells_cards_from_other_digits(digits: str, valid: bool) -> None:
    assert luhn_valid(digits) is valid


HAZARDS = [
    ("=HYPERLINK(1)", "hazards.formula"), ("+cmd|calc", "hazards.formula"),
    ("-2+3", "hazards.formula"), ("@SUM(A1)", "hazards.formula"),
    ("\t=1", "hazards.formula"), ("\r=1", "hazards.formula"),
    ("../../etc/passwd", "hazards.path"), ("notes ..\\secret", "hazards.path"),
    ("/etc/passwd", "hazards.path"), ("~/keys", "hazards.path"),
    ("file:///tmp/a", "hazards.path"), ("see FILE://host/a", "hazards.path"),
    ("C:\\Users", "hazards.path"), ("\\\\server\\share", "hazards.path"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code"), HAZARDS)
def test_formula_or_path_in_any_field_is_an_error(text: str, code: str) -> None:
    in_text = found_by(HazardValidator, [values(1, text=text)])
    in_id = found_by(HazardValidator, [values(1, id=text)])

    assert list(in_text) == list(in_id) == [code]
    assert in_text[code].severity is Severity.ERROR


HARMLESS = [
    "-5", "+3.5", "a=b", "and/or", "well... okay", "he said: go", "/s", "and @ noon",
    "3/4 of it", "I - well - left",
]  # fmt: skip


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_punctuation_is_no_hazard(text: str) -> None:
    assert found_by(HazardValidator, [values(1, text=text)]) == {}


def test_row_with_a_licence_that_is_not_accepted_is_an_error() -> None:
    found = found_by(LicenceValidator, [values(1), values(2, license="CC-BY-NC-4.0")])

    assert found["licence.not_allowed"].locators == (2,)


def test_row_without_a_licence_is_an_error() -> None:
    assert "licence.missing" in found_by(LicenceValidator, [values(1, license=...)])


@pytest.mark.parametrize(
    ("licence", "codes"),
    [("CC0-1.0", []), ("", ["licence.missing"]), ("own", ["licence.not_allowed"])],
)
def test_dataset_licence_counts_where_rows_have_none(
    licence: str, codes: list[str]
) -> None:
    roles = {name: field for name, field in SCHEMA.roles.items() if name != "licence"}
    schema = dataclasses.replace(SCHEMA, roles=roles)

    assert list(found_by(LicenceValidator, [values(1)], schema, licence)) == codes


def test_even_labels_in_every_split_have_no_findings() -> None:
    assert found_by(BalanceValidator, eight_rows()) == {}


def test_label_that_a_split_never_shows_is_an_error() -> None:
    rows = [values(number, label="calm") for number in (5, 6)] + eight_rows()[:4]

    found = found_by(BalanceValidator, rows)

    assert found["balance.label_missing_in_split"].severity is Severity.ERROR
    assert found["balance.label_missing_in_split"].count == 1


def test_declared_split_without_rows_is_an_error() -> None:
    found = found_by(BalanceValidator, eight_rows()[:4])

    assert found["balance.label_missing_in_split"].count == 2


def test_uneven_labels_are_a_warning_at_the_rare_label() -> None:
    rows = [*eight_rows(), *(values(n, label="calm", split="test") for n in range(8))]

    found = found_by(BalanceValidator, rows)

    assert found["balance.label_uneven"].severity is Severity.WARNING
    assert found["balance.label_uneven"].locators == (6,)


def test_small_and_missing_subgroups_are_warnings() -> None:
    rows = eight_rows(group="a")
    rows[0]["group"] = "b"

    found = found_by(BalanceValidator, rows)

    assert found["balance.subgroup_small"].count == 3
    assert found["balance.subgroup_missing_in_split"].severity is Severity.WARNING


def test_as_many_labels_as_rows_are_reported_and_not_kept() -> None:
    rows = [values(1, label=f"label-{number}") for number in range(1200)]

    found = found_by(BalanceValidator, rows)

    assert list(found) == ["balance.too_many_labels"]
