"""What is counted of an answer, and that labels stay few."""

from __future__ import annotations

from prometheus_client import REGISTRY

from apps.core.metrics import Bounded
from apps.inference.gateway import decide
from apps.inference.metrics import count_answer
from apps.models_registry.errors import PredictionFailed
from apps.safety.contracts import Decision
from pe_platform.smoke import ORDINARY
from tests.inference.doubles import GuardDouble, PartsDouble, asking

WORDS = "a-model-that-somebody-made-up"


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def labels_of(name: str) -> set[str]:
    return {
        value
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name.startswith(name)
        for value in sample.labels.values()
    }


def counted(parts: PartsDouble, **asked) -> None:
    count_answer(decide(request=asking(**asked), caller_id="c", parts=parts))


def test_an_answer_counts_every_gate_and_the_model():
    before = value("pe_gate_seconds_count", gate="redaction", stage="output")
    model = {"model": "support", "adapter": "onnx"}
    answered = value("pe_model_answers_total", decision="allow", **model)
    timed = value("pe_model_seconds_count", **model)

    counted(PartsDouble())

    assert (
        value("pe_gate_seconds_count", gate="redaction", stage="output") == before + 1
    )
    assert value("pe_model_answers_total", decision="allow", **model) == answered + 1
    assert value("pe_model_seconds_count", **model) == timed + 1


def test_characters_are_counted_both_ways():
    given = {"model": "support", "direction": "input"}
    before = value("pe_model_characters_total", **given)

    counted(PartsDouble(), text="x" * 31)

    assert value("pe_model_characters_total", **given) == before + 31


def test_a_failed_prediction_counts_as_a_problem_of_the_model():
    code = PredictionFailed.code
    model = {"model": "support", "adapter": "onnx", "decision": "unavailable"}
    before = (
        value("pe_problems_total", code=code),
        value("pe_model_answers_total", **model),
    )

    counted(PartsDouble(predict_error=PredictionFailed("no")))

    assert value("pe_problems_total", code=code) == before[0] + 1
    assert value("pe_model_answers_total", **model) == before[1] + 1


def test_a_crisis_is_no_answer_of_a_model():
    before = labels_of("pe_model_answers_total")

    counted(PartsDouble(guarding=GuardDouble(on_input=Decision.ESCALATE)))

    assert labels_of("pe_model_answers_total") == before


def test_a_model_that_was_only_asked_for_is_no_label(caller, policy):
    response = caller.predict(ORDINARY, model=WORDS)

    assert response.status_code == 404
    assert WORDS not in labels_of("pe_")


def test_labels_beyond_the_limit_are_one():
    bounded = Bounded(2)

    named = [bounded(name) for name in ("a", "b", "c", "a", "d")]

    assert named == ["a", "b", "other", "a", "other"]
