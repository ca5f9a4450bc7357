"""How long the model takes on this machine, one text at a time; gates not included.

A measurement and no property of the version: each is a report of its own.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice
from math import ceil, floor, sqrt

from apps.experiments.contracts import Evaluator, Subject
from apps.experiments.errors import DatasetDoesNotFit
from apps.experiments.evaluators.samples import TEST_SPLIT, field
from apps.experiments.statistics import Z, tidy
from apps.models_registry.contracts import Direction, Metric, TextRequest

# Enough for a 95th percentile with an interval, few enough to end in seconds.
MOST_TEXTS = 400
WARM_UP = 5


class LatencyEvaluator(Evaluator):
    name = "latency"
    version = "1"
    fields = ("text", "split")
    repeats = False

    def evaluate(self, subject: Subject) -> tuple[Metric, ...]:
        rows = (row for row in subject.samples() if row.get("split") == TEST_SPLIT)
        texts = [TextRequest(field(row, "text")) for row in islice(rows, MOST_TEXTS)]
        if not texts:
            raise DatasetDoesNotFit("The dataset has no sample in its test split.")
        for text in texts[:WARM_UP]:
            subject.predict([text])
        taken = sorted(_milliseconds(subject, text) for text in texts)
        return tuple(
            _percentile(name, taken, share)
            for name, share in (("median_ms", 0.5), ("p95_ms", 0.95))
        )


def _milliseconds(subject: Subject, text: TextRequest) -> float:
    start = time.perf_counter()
    subject.predict([text])
    return (time.perf_counter() - start) * 1000.0


def _percentile(name: str, taken: Sequence[float], share: float) -> Metric:
    """With the interval that ranks give, whatever the distribution is.

    Source: Conover (1999), Practical Nonparametric Statistics, section 3.2.
    """
    count = len(taken)
    middle, reach = count * share, Z * sqrt(count * share * (1.0 - share))

    def at(rank: int) -> float:
        return tidy(taken[min(count, max(1, rank)) - 1])

    return Metric(
        name,
        at(ceil(middle)),
        "ms",
        count,
        Direction.LOWER,
        at(floor(middle - reach)),
        at(ceil(middle + reach) + 1),
    )
