"""Whether the model's probabilities can be believed: right as often as it says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from apps.experiments.contracts import FEWEST_TO_JUDGE, Evaluator, Subject
from apps.experiments.evaluators.samples import Answered, answered_test_messages
from apps.experiments.statistics import Indices, bootstrap, tidy
from apps.models_registry.contracts import Direction, Metric

BINS = 10
Floats = npt.NDArray[np.float64]


class CalibrationEvaluator(Evaluator):
    """Expected calibration error in ten bins of equal width, Brier score, and how much
    surer the model is than right. On the test split, overall and by subgroup.

    Source: Guo, Pleiss, Sun and Weinberger (2017), ICML; Brier (1950).
    """

    name = "calibration"
    version = "1"
    fields = ("text", "category", "subgroup", "split")

    def evaluate(self, subject: Subject) -> tuple[Metric, ...]:
        answered = answered_test_messages(subject)
        groups: dict[str, list[Answered]] = {}
        for item in answered:
            groups.setdefault(item.subgroup, []).append(item)
        return (
            *_metrics(answered, subject.seed),
            *(
                metric
                for name, group in sorted(groups.items())
                for metric in _metrics(group, subject.seed, f"subgroup={name}")
            ),
        )


def _metrics(answered: list[Answered], seed: int, slice: str = "") -> list[Metric]:
    sure = np.array([item.probabilities[item.given] for item in answered])
    right = np.array([float(item.is_right) for item in answered])
    brier = np.array([_brier(item) for item in answered])

    def error(indices: Indices) -> float:
        return calibration_error(sure[indices], right[indices])

    def score(indices: Indices) -> float:
        return float(brier[indices].mean())

    def excess(indices: Indices) -> float:
        return float(sure[indices].mean() - right[indices].mean())

    return [
        _metric("calibration_error", error, len(answered), seed, slice),
        _metric("brier", score, len(answered), seed, slice),
        _metric("overconfidence", excess, len(answered), seed, slice),
    ]


def calibration_error(sure: Floats, right: Floats) -> float:
    """The mean over texts of how far their bin's certainty is from its accuracy."""
    bins = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    error = 0.0
    for number in range(BINS):
        inside = bins == number
        if inside.any():
            gap = abs(sure[inside].mean() - right[inside].mean())
            error += float(gap) * float(inside.mean())
    return error


def _brier(item: Answered) -> float:
    return sum(
        (probability - float(label == item.category)) ** 2
        for label, probability in item.probabilities.items()
    )


def _metric(
    name: str,
    statistic: Callable[[Indices], float],
    count: int,
    seed: int,
    slice: str,
) -> Metric:
    if count < FEWEST_TO_JUDGE:
        note = f"fewer than {FEWEST_TO_JUDGE} samples: too few to judge"
        return Metric(
            name, None, "share", count, Direction.LOWER, slice=slice, note=note
        )
    low, high = bootstrap(statistic, count, seed)
    value = statistic(np.arange(count))
    return Metric(name, tidy(value), "share", count, Direction.LOWER, low, high, slice)
