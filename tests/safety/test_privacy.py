"""Identifiers: found, told apart, and near misses left alone."""

from __future__ import annotations

import pytest

from apps.safety.contracts import Decision, Stage
from apps.safety.gates.identifiers import checksums
from apps.safety.gates.identifiers.detect import find_identifiers
from apps.safety.gates.identifiers.found import Identifier, settle
from apps.safety.gates.identifiers.second_opinion import second_opinion
from apps.safety.gates.privacy import KINDS, PrivacyGate
from apps.safety.policy import default_policy
from tests.safety.support import kit, said

FOUND = [
    ("write to ana.b+x@mail.example.org please", "ana.b+x@mail.example.org", "EMAIL"),
    ("ana at example dot com", "ana at example dot com", "EMAIL"),
    ("call (212) 555-0182 now", "(212) 555-0182", "PHONE"),
    ("call +44 20 7946 0958", "+44 20 7946 0958", "PHONE"),
    ("my number is 2125550182", "2125550182", "PHONE"),
    ("see https://example.org/u/ana?x=1", "https://example.org/u/ana?x=1", "URL"),
    ("from 192.168.10.77 it came", "192.168.10.77", "IP_ADDRESS"),
    ("host 2001:db8:85a3:0:0:8a2e:370:7334", "2001:db8:85a3:0:0:8a2e:370:7334",
     "IP_ADDRESS"),
    ("mac 00:1B:44:11:3A:B7", "00:1B:44:11:3A:B7", "DEVICE_ID"),
    ("card 4111 1111 1111 1111 exp", "4111 1111 1111 1111", "CREDIT_CARD"),
    ("IBAN GB33BUKB20201555555555", "GB33BUKB20201555555555", "IBAN"),
    ("ssn 536-90-4399", "536-90-4399", "SSN"),
    ("my social security number is 536904399", "536904399", "SSN"),
    ("passport number is 912803456", "912803456", "PASSPORT"),
    ("MRN: 00482913", "00482913", "MRN"),
    ("insurance member id XKJ4829104", "XKJ4829104", "HEALTH_PLAN_ID"),
    ("account number 8837261", "8837261", "ACCOUNT"),
    ("driver's license D1234567", "D1234567", "DRIVER_LICENSE"),
    ("license plate 7ABC123", "7ABC123", "VEHICLE"),
    ("VIN 1HGCM82633A004352", "1HGCM82633A004352", "VEHICLE"),
    ("serial number SN48291B", "SN48291B", "DEVICE_ID"),
    ("I was born on 03/14/1985", "03/14/1985", "DATE"),
    ("on March 3rd, 2021 we met", "March 3rd, 2021", "DATE"),
    ("she is 94 years old", "94", "AGE"),
    ("I live at 742 Evergreen Terrace", "742 Evergreen Terrace", "ADDRESS"),
    ("P.O. Box 1234", "P.O. Box 1234", "ADDRESS"),
    ("near SW1A 1AA", "SW1A 1AA", "ZIP_CODE"),
    ("my zip code is 90210", "90210", "ZIP_CODE"),
    ("my name is Anna Schmidt", "Anna Schmidt", "NAME"),
    ("my name is sarah and", "sarah", "NAME"),
    ("I saw Dr. Okafor today", "Okafor", "NAME"),
    ("my sister Maria called", "Maria", "NAME"),
    ("I'm Jo\u00e3o Pereira from work", "Jo\u00e3o Pereira", "NAME"),
    ("I live in Springfield now", "Springfield", "LOCATION"),
    ("at Riverside Medical Center today", "Riverside Medical Center", "ORGANIZATION"),
    ("add me on insta @karen14", "@karen14", "USERNAME"),
    ("my discord is moonfish_88", "moonfish_88", "USERNAME"),
    ("the password is hunter2xyz", "hunter2xyz", "PASSWORD"),
    ("five five five one two three four five", "five five five one two three four five",
     "PHONE"),
]  # fmt: skip
NEAR_MISSES = [
    "",
    "I slept 7 hours and walked 12000 steps",
    "it happened 3 times in 2 weeks",
    "version 3.11.7 is out",
    "rated 4.5/5 by 1,200 people",
    "the answer is 42",
    "I feel 50/50 about it",
    "My Mom and Dad are here",
    "On Monday I see my Therapist",
    "God help me",
    "Prozac and Zoloft did not help",
    "I am sad",
    "I'm Happy Today",
    "this is hard",
    "she turned 30 and I turned 28",
    "will you mark my word, may I hope",
    "chapter 12 page 340",
    "100% sure at 5 pm",
    "it cost $1,250.00",
]


@pytest.mark.parametrize(("text", "value", "kind"), FOUND)
def test_identifier_is_found_where_it_stands(text: str, value: str, kind: str) -> None:
    sure = [item for item in find_identifiers(text) if item.confidence >= 0.5]

    assert (value, kind) in [(text[i.start : i.end], i.kind) for i in sure]


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_near_miss_is_left_alone(text: str) -> None:
    assert [item for item in find_identifiers(text) if item.confidence >= 0.5] == []


def test_every_kind_is_published() -> None:
    assert {kind for _text, _value, kind in FOUND} <= set(KINDS)


def test_score_is_the_surest_find_even_below_the_threshold() -> None:
    thresholds = default_policy().thresholds("privacy", Stage.INPUT)

    verdict = PrivacyGate(kit()).inspect(said("i told sarah everything"), thresholds)

    assert verdict.decision is Decision.ALLOW
    assert verdict.score == 0.4
    assert verdict.spans == ()


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (checksums.is_luhn, "4111111111111111", "4111111111111112"),
        (checksums.is_iban, "DE89 3704 0044 0532 0130 00", "DE89370400440532013001"),
        (checksums.is_ssn, "536-90-4399", "666-90-4399"),
        (checksums.is_nhs, "943 476 5919", "943 476 5918"),
        (checksums.is_aba, "021000021", "021000022"),
        (checksums.is_vin, "1HGCM82633A004352", "1HGCM82633A004353"),
    ],
)
def test_check_digits_tell_right_from_wrong(check, good: str, bad: str) -> None:  # type: ignore[no-untyped-def]
    assert check(good)
    assert not check(bad)
    assert not check("1")


def test_a_number_with_a_wrong_check_digit_is_less_sure() -> None:
    right = find_identifiers("GB33BUKB20201555555555")[0]
    wrong = find_identifiers("GB34BUKB20201555555555")[0]

    assert right.confidence > wrong.confidence


def test_overlapping_finds_are_settled_by_confidence() -> None:
    weak, strong = Identifier(0, 9, "PHONE", 0.4), Identifier(3, 7, "SSN", 0.9)

    assert settle([weak, strong]) == (strong,)
    assert settle([strong, strong, Identifier(9, 9, "ID", 1.0)]) == (strong,)


def test_presidio_adds_numbers_of_other_countries() -> None:
    text = "my Aadhaar-like tax note says NIF 12345678Z on it"

    kinds = {item.kind for item in find_identifiers(text, second_opinion())}

    assert "SSN" in kinds


def test_presidio_is_not_asked_about_what_is_explained() -> None:
    class Refuses:
        def find(self, text: str) -> list[Identifier]:
            raise AssertionError("asked")

    assert find_identifiers("ssn 536-90-4399", Refuses())


@pytest.mark.parametrize(
    "text",
    [
        "9" * 4000,
        "a@" * 2000,
        "1-" * 2000,
        "Mr. " * 1000,
        "1 Elm " * 700,
        "(1) " * 1000,
    ],
)
def test_no_text_is_slow(text: str) -> None:
    import time

    started = time.process_time()
    find_identifiers(text)

    assert time.process_time() - started < 1.0
