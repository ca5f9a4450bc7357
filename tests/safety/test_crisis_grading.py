"""Grades follow evidence: a score alone is never called imminent."""

from __future__ import annotations

import pytest

from apps.safety.contracts import RiskLevel
from apps.safety.gates.crisis import graded
from apps.safety.gates.crisis_signs import read_signs

PLAIN = "I have thought about ending my life and I have a plan"
NOW = "I will kill myself tonight"
NOTHING = "I just wanted to say hi, today was a good day"


@pytest.mark.parametrize(
    ("level", "text", "head_high", "expected"),
    [
        (RiskLevel.IMMINENT, NOW, 0.0, RiskLevel.IMMINENT),
        (RiskLevel.IMMINENT, PLAIN, 0.0, RiskLevel.HIGH),
        (RiskLevel.IMMINENT, NOTHING, 0.9, RiskLevel.HIGH),
        (RiskLevel.IMMINENT, NOTHING, 0.1, RiskLevel.MODERATE),
        (RiskLevel.HIGH, NOTHING, 0.1, RiskLevel.MODERATE),
        (RiskLevel.MODERATE, NOTHING, 0.0, RiskLevel.MODERATE),
        (RiskLevel.NONE, NOTHING, 0.0, RiskLevel.NONE),
    ],
)
def test_a_grade_needs_evidence_beyond_the_score(level, text, head_high, expected):
    assert graded(level, read_signs(text), head_high) is expected


@pytest.mark.parametrize(
    ("text", "is_sign"),
    [
        ("My uncle touches me and says I must not tell anybody.", True),
        ("The carer hits my grandmother and begged me to keep quiet.", True),
        ("he beats me when I cry", True),
        ("he beats me at chess", False),
        ("she hits me up for money", False),
    ],
)
def test_disclosures_of_abuse_are_told_from_games(text, is_sign):
    assert ("abuse" in read_signs(text).kinds(0.5)) is is_sign
