"""Counts of decisions and verdicts for Prometheus.

Labels come from closed lists in code: never a model's or a caller's name, which anyone
who can send a request may choose.
"""

from __future__ import annotations

from prometheus_client import Counter

from apps.inference.contracts import Answer

ANSWERS = Counter(
    "pe_inference_answers_total", "Requests answered.", ("decision", "source")
)
VERDICTS = Counter(
    "pe_gate_verdicts_total",
    "Verdicts of gates on requests.",
    ("gate", "stage", "decision", "failed"),
)


def count_answer(answer: Answer) -> None:
    """One request that was decided, and the verdicts behind it."""
    ANSWERS.labels(answer.outcome.value, answer.reply.source.value).inc()
    for stage in filter(None, (answer.input, answer.output)):
        for verdict in stage.verdicts:
            VERDICTS.labels(
                verdict.gate,
                stage.stage.value,
                verdict.decision.slug,
                str(verdict.failed).lower(),
            ).inc()
