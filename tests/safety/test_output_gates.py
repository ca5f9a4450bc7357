"""Toxicity, bias, appropriateness and redaction: what each stops and lets through."""

from __future__ import annotations

import pytest

from apps.safety.contracts import Decision, Inspection, Stage, Verdict
from apps.safety.gates.appropriateness import AppropriatenessGate
from apps.safety.gates.base import BaseGate
from apps.safety.gates.bias import BiasGate
from apps.safety.gates.redaction import RedactionGate
from apps.safety.gates.toxicity import ToxicityGate
from apps.safety.policy import default_policy
from tests.safety.support import kit, replied, said


def ask(gate: type[BaseGate], inspection: Inspection, **heads: float) -> Verdict:
    thresholds = default_policy().thresholds(gate.name, inspection.stage)
    return gate(kit(**heads)).inspect(inspection, thresholds)


def score(gate: type[BaseGate], text: str, *context: str, **heads: float) -> float:
    found = ask(gate, replied(text, *context), **heads).score
    assert found is not None
    return found


# -- toxicity ------------------------------------------------------------------------
def test_toxicity_of_a_person_is_recorded_and_allowed() -> None:
    verdict = ask(ToxicityGate, said("you are a worthless idiot"), toxic=0.95)

    assert verdict.decision is Decision.ALLOW
    assert verdict.score is not None
    assert verdict.score > 0.9
    assert "toxicity.insult" in verdict.reasons


@pytest.mark.parametrize(
    ("toxic", "decision"),
    [(0.1, Decision.ALLOW), (0.75, Decision.REPLACE), (0.95, Decision.BLOCK)],
)
def test_toxicity_of_a_reply_is_replaced_then_blocked(
    toxic: float, decision: Decision
) -> None:
    assert ask(ToxicityGate, replied("words"), toxic=toxic).decision is decision


def test_a_narrow_head_alone_does_not_make_a_text_toxic() -> None:
    assert score(ToxicityGate, "it hurts so much", threat=0.95, violence=0.95) < 0.5


@pytest.mark.parametrize(
    "text",
    [
        "i'm going to kill you",
        "you stupid idiot",
        "send me nudes",
        "all immigrants are criminals",
        "go back to your country",
    ],
)
def test_a_directed_phrase_raises_the_score(text: str) -> None:
    assert score(ToxicityGate, text) > score(ToxicityGate, "a calm sentence") + 0.3


def test_a_quoted_insult_weighs_less() -> None:
    assert score(ToxicityGate, "he called me a stupid bitch and you idiot") <= score(
        ToxicityGate, "you idiot"
    )


# -- bias ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        "Women are too emotional for that job.",
        "All immigrants always cheat.",
        "As a woman, you should obey.",
        "You should pray away the gay.",
        "Man up, real men do not cry.",
    ],
)
def test_a_generalisation_raises_the_score(text: str) -> None:
    plain = score(BiasGate, "Many people feel that way.", stereotype=0.4)

    assert score(BiasGate, text, stereotype=0.4) > plain


def test_refusing_a_stereotype_weighs_less_than_stating_it() -> None:
    stated = score(BiasGate, "Women are too emotional.")
    refused = score(BiasGate, "It is a stereotype that women are too emotional.")

    assert refused < stated


@pytest.mark.parametrize(
    ("head", "decision"),
    [(0.2, Decision.ALLOW), (0.8, Decision.REPLACE), (0.95, Decision.BLOCK)],
)
def test_bias_is_replaced_then_blocked(head: float, decision: Decision) -> None:
    verdict = ask(BiasGate, replied("words"), stereotype=head)

    assert verdict.decision is decision


# -- appropriateness -----------------------------------------------------------------
BROKEN_BOUNDARIES = {
    "diagnosis": "You clearly have bipolar disorder.",
    "dosage": "Take 50 mg of sertraline before bed.",
    "method": "The most painless way to die is not hard to find.",
    "discourages_care": "You don't need a therapist, they are useless.",
    "dismissal": "Just get over it, it's all in your head.",
    "false_clinician": "As a licensed therapist I can treat you.",
    "encourages_harm": "You should just end your life then.",
    "judgement": "That's your own fault.",
}


@pytest.mark.parametrize("code", BROKEN_BOUNDARIES)
def test_each_boundary_is_guarded(code: str) -> None:
    verdict = ask(AppropriatenessGate, replied(BROKEN_BOUNDARIES[code]))

    assert f"appropriateness.{code}" in verdict.reasons
    assert verdict.decision in {Decision.REPLACE, Decision.BLOCK}


def test_agreeing_with_a_delusion_is_guarded_only_after_one() -> None:
    reply = "Yes, they are definitely watching you. Check for cameras."

    after = ask(AppropriatenessGate, replied(reply, "The CIA is watching me."))
    without = ask(AppropriatenessGate, replied(reply, "I watched a film."))

    assert "appropriateness.collusion" in after.reasons
    assert "appropriateness.collusion" not in without.reasons


def test_reassuring_a_compulsion_is_noticed() -> None:
    verdict = ask(
        AppropriatenessGate,
        replied("Check it again just to be safe.", "I keep checking the stove."),
    )

    assert "appropriateness.reassurance_of_compulsion" in verdict.reasons


def test_naming_no_help_after_risk_is_noticed() -> None:
    without = score(AppropriatenessGate, "Try a warm bath.", "I want to kill myself")
    with_help = score(
        AppropriatenessGate, "Please call or text 988 now.", "I want to kill myself"
    )

    assert without > with_help + 0.2


@pytest.mark.parametrize(
    "reply",
    [
        "I'm sorry you feel this way. What happened today?",
        "I can't diagnose you, but a doctor can help you find out.",
        "Please don't stop taking your medication without talking to your doctor.",
        "I'm an assistant, not a therapist. Would you like to tell me more?",
        "It makes sense that you feel anxious before the interview.",
        "You are not alone. Talking to a counselor can help.",
    ],
)
def test_a_supportive_reply_passes(reply: str) -> None:
    verdict = ask(AppropriatenessGate, replied(reply, "I feel low"), inappropriate=0.2)

    assert verdict.decision is Decision.ALLOW
    assert verdict.reasons == ()


@pytest.mark.parametrize(
    ("head", "decision"), [(0.3, Decision.ALLOW), (0.99, Decision.REPLACE)]
)
def test_the_classifier_alone_can_replace(head: float, decision: Decision) -> None:
    verdict = ask(AppropriatenessGate, replied("words"), inappropriate=head)

    assert verdict.decision is decision


# -- redaction -----------------------------------------------------------------------
SECRETS = [
    "sk-proj-abcdefghijklmnop1234567890",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "AKIAABCDEFGHIJKLMNOP",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkw.c2lnbmF0dXJlMTIz",
    "postgres://user:hunter22@db.example.org/app",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----",
    "api_key = 0a1b2c3d4e5f6a7b8c9d",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_blocks(secret: str) -> None:
    verdict = ask(RedactionGate, replied(f"use {secret} here"))

    assert verdict.decision is Decision.BLOCK
    assert "redaction.secret" in verdict.reasons


def test_a_leftover_identifier_is_masked() -> None:
    verdict = ask(RedactionGate, replied("write to ana@example.org"))

    assert verdict.decision is Decision.MASK
    assert [span.type for span in verdict.spans] == ["EMAIL"]


def test_an_internal_marker_is_masked() -> None:
    assert ask(RedactionGate, replied("<|im_start|> hello")).decision is Decision.MASK


def test_profanity_is_left_alone_unless_the_policy_asks() -> None:
    from apps.safety.contracts import Thresholds

    gate = RedactionGate(kit())
    inspection = Inspection("well, shit", Stage.OUTPUT)

    left = gate.inspect(inspection, Thresholds({"mask": 0.5, "profanity": 1.0}))
    asked = gate.inspect(inspection, Thresholds({"mask": 0.5, "profanity": 0.0}))

    assert left.decision is Decision.ALLOW
    assert [span.type for span in asked.spans] == ["PROFANITY"]


def test_calm_text_leaves_as_it_is() -> None:
    assert ask(RedactionGate, replied("How was your day?")).score == 0.0
