"""Decisions, gates, models and what they cost, for Prometheus.

Labels come from closed lists in code. The one exception is the model, named only once a
version of it was found and approved: what a caller merely asked for is never a label.
"""

from __future__ import annotations

from prometheus_client import Counter, Histogram

from apps.core.metrics import Bounded, count_problem
from apps.inference.contracts import Answer

ANSWERS = Counter(
    "pe_inference_answers_total", "Requests answered.", ("decision", "source")
)
VERDICTS = Counter(
    "pe_gate_verdicts_total",
    "Verdicts of gates on requests.",
    ("gate", "stage", "decision", "failed"),
)
GATE_SECONDS = Histogram(
    "pe_gate_seconds",
    "Time a gate took over one text, in seconds.",
    ("gate", "stage"),
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5),
)
MODEL_ANSWERS = Counter(
    "pe_model_answers_total",
    "Requests that reached an approved version.",
    ("model", "adapter", "decision"),
)
MODEL_SECONDS = Histogram(
    "pe_model_seconds",
    "Time a model took to answer, in seconds.",
    ("model", "adapter"),
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
MODEL_CHARACTERS = Counter(
    "pe_model_characters_total",
    "Code points given to a model and taken from it: what use is billed by.",
    ("model", "direction"),
)
MODELS_NAMED = 50
_model_label = Bounded(MODELS_NAMED)
MS = 1000.0


def count_answer(answer: Answer) -> None:
    """One request that was decided, the verdicts behind it and the model's part."""
    ANSWERS.labels(answer.outcome.value, answer.reply.source.value).inc()
    if answer.problem is not None:
        count_problem(answer.problem.code)
    for stage in filter(None, (answer.input, answer.output)):
        for verdict in stage.verdicts:
            VERDICTS.labels(
                verdict.gate,
                stage.stage.value,
                verdict.decision.slug,
                str(verdict.failed).lower(),
            ).inc()
            seconds = GATE_SECONDS.labels(verdict.gate, stage.stage.value)
            seconds.observe(verdict.elapsed_ms / MS)
    _count_model(answer)


def _count_model(answer: Answer) -> None:
    if answer.routed is None:
        return
    version = answer.routed.version
    model = _model_label(version.model_name)
    MODEL_ANSWERS.labels(model, version.adapter, answer.outcome.value).inc()
    took_ms = answer.timings.get("predict_ms")
    if took_ms is not None:
        MODEL_SECONDS.labels(model, version.adapter).observe(took_ms / MS)
    for direction in ("input", "output"):
        characters = answer.usage.get(f"{direction}_chars", 0)
        MODEL_CHARACTERS.labels(model, direction).inc(characters)
