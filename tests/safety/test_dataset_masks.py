"""The privacy gate as the mask of dataset rows."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.conf import settings as configured

from apps.core.plugins import load_class
from apps.datasets.canaries import canary_of
from apps.datasets.checks import check_masks
from apps.datasets.masking import PatternMasks, TextMasks
from apps.safety import dataset_masks
from apps.safety.dataset_masks import PrivacyGateMasks
from apps.safety.masking import WITHHELD


def test_it_is_what_programs_meet() -> None:
    assert load_class(configured.PE_DATASET_MASKS, TextMasks) is PrivacyGateMasks
    assert check_masks() == []


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("My name is Anna Kowalska and I cannot sleep.", "Kowalska"),
        ("Write to anna@example.org please.", "anna@example.org"),
        ("Call me on 212-555-0100 tonight.", "555-0100"),
        ("my ssn is 536-90-4399", "4399"),
    ],
)
def test_identifiers_are_gone_and_the_rest_stays(text: str, gone: str) -> None:
    masked = PrivacyGateMasks().masked(text)

    assert gone not in masked
    assert "[" in masked
    assert masked.split()[0] == text.split()[0]


@pytest.mark.parametrize("text", ["", "The garden was quiet.", "In 1999 I was nine."])
def test_what_names_nobody_stays_as_it_is(text: str) -> None:
    assert PrivacyGateMasks().masked(text) == text


def test_a_text_that_the_gate_fails_on_is_withheld() -> None:
    class Failing:
        def ask(self, *_: Any) -> Any:
            return type("Verdict", (), {"failed": True})

    masks = PrivacyGateMasks()
    masks.__dict__["_runner"] = Failing()

    assert masks.masked("Anna lives at 3 Elm Street.") == WITHHELD
    assert dataset_masks.TRIES > 1
    assert "Anna" in PatternMasks().masked("Anna lives at 3 Elm Street.")


def test_canaries_look_like_rows_that_name_nobody() -> None:
    texts = [canary_of(uuid.UUID(int=n), 0, 200).text for n in range(20)]
    masks = PrivacyGateMasks()

    left_alone = [masks.masked(text) == text for text in texts]

    assert len(set(texts)) == 20
    assert sum(left_alone) >= 18


def test_a_mask_that_is_none_is_refused(settings: Any) -> None:
    settings.PE_DATASET_MASKS = "apps.datasets.masking.Masker"

    assert [one.id for one in check_masks()] == ["datasets.E004"]
