"""Made-up identifiers: marked where they stand, right by their check digits."""

from __future__ import annotations

import random
from collections import Counter

from apps.safety.gates.identifiers import checksums
from apps.safety.training.generators.identities import (
    TYPES,
    VALUES,
    Template,
    fill,
    filled,
    templates,
)
from apps.safety.training.generators.identity_numbers import NUMBERS


def test_marks_are_in_order_and_hold_whole_values() -> None:
    for text, marks in filled(random.Random(1)):
        edges = [place for start, end, _type in marks for place in (start, end)]
        assert edges == sorted(edges)
        assert all(
            text[start:end].strip() == text[start:end] for start, end, _ in marks
        )


def test_same_seed_gives_the_same_sentences() -> None:
    first, second = (list(filled(random.Random(7))) for _ in range(2))

    assert first == second
    assert first != list(filled(random.Random(8)))


def test_held_out_frames_never_meet_the_others() -> None:
    groups = Counter(template.is_held_out for template in templates())

    assert groups[True] > 60
    for wanted in (True, False):
        assert len(list(filled(random.Random(1), held_out=wanted))) == groups[wanted]


def test_every_template_is_distinct_and_every_slot_is_known() -> None:
    lines = [template.line for template in templates()]
    used = {mark for _text, marks in filled(random.Random(2)) for *_edge, mark in marks}

    assert len(lines) == len(set(lines)) > 700
    assert used == {TYPES.get(kind, kind) for kind in VALUES}


def test_sentences_without_slots_carry_no_mark() -> None:
    marked = Counter(
        bool(fill(random.Random(3), template)[1])
        for template in templates()
        if "without" in template.group or template.group == "no_identifiers"
    )

    assert marked == {False: marked[False]}
    assert marked[False] > 140


def test_ages_count_from_ninety_only() -> None:
    template = Template("She is {AGE}.", "chat")

    for seed in range(40):
        text, marks = fill(random.Random(seed), template)
        assert bool(marks) == (int(text[7:-1]) >= 90)


def test_check_digits_are_right() -> None:
    checks = {
        "CARD": checksums.is_luhn,
        "IBAN": checksums.is_iban,
        "IMEI": checksums.is_luhn,
        "VIN": checksums.is_vin,
    }
    for kind, check in checks.items():
        assert all(check(NUMBERS[kind](random.Random(seed))) for seed in range(50))
