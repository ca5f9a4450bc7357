"""Over the API: who writes in a language of no gate is answered in it, with help."""

from __future__ import annotations

import pytest

from apps.inference.contracts import Inspected, Outcome, ServingRequest
from apps.inference.gateway import decide
from apps.safety.contracts import Decision, Stage
from apps.safety.models import Escalation
from apps.safety.policy import default_policy
from tests.inference.doubles import GuardDouble, PartsDouble, asking, verdict

pytestmark = pytest.mark.django_db

FRENCH = "bonjour, je dors mal et je me sens un peu seul en ce moment"
SPANISH_CRISIS = "ya no quiero vivir, quiero matarme esta noche"


def test_a_message_that_cannot_be_read_is_answered_kindly_in_its_language(
    served, caller
):
    body = caller.predict(FRENCH, locale="en-US").json()

    texts = default_policy().texts("fr")
    assert body["decision"] == "escalate"
    assert body["output"]["text"] in {texts.language, texts.crisis}
    assert [one["reach"] for one in body["contacts"]] == ["findahelpline.com"]
    assert Escalation.objects.count() == 1


@pytest.mark.parametrize(
    ("locale", "number"), [("en-US", "988"), ("es-ES", "024"), ("en", "findahelpline")]
)
def test_a_crisis_in_spanish_gets_the_crisis_text_of_its_country(
    served, caller, locale, number
):
    body = caller.predict(SPANISH_CRISIS, locale=locale).json()

    assert body["decision"] == "escalate"
    assert "me preocupa tu seguridad" in body["output"]["text"]
    assert number in body["output"]["text"]
    case = Escalation.objects.get()
    assert case.level in {"high", "imminent"}


class _Guard(GuardDouble):
    """Finds what it was told to find."""

    def __init__(self, found: Inspected) -> None:
        super().__init__()
        self._found = found

    def inspect_input(self, request: ServingRequest) -> Inspected:
        return self._found


@pytest.mark.parametrize(("score", "kind"), [(0.1, "language"), (0.6, "crisis")])
def test_only_an_unread_language_is_told_apart_from_a_crisis(score, kind):
    reasons = ("crisis.language_unsupported",)
    crisis = verdict(
        "crisis", Decision.ESCALATE, score=score, reasons=reasons, failed=True
    )
    found = Inspected(Stage.INPUT, Decision.ESCALATE, (crisis,), "[WITHHELD]")
    parts = PartsDouble(_Guard(found))

    answer = decide(request=asking(), caller_id="key-1", parts=parts)

    assert answer.reply.text == f"fixed {kind} en"
    assert answer.outcome is Outcome.ESCALATE
    assert parts.escalated == [found]
