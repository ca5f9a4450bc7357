"""Whether the model is as good for one group of people as for another.

Of a model that writes: whether as many of its replies pass the gates.
"""

from __future__ import annotations

from apps.experiments.contracts import FEWEST_TO_JUDGE, Evaluator, Subject
from apps.experiments.evaluators.samples import (
    Answered,
    answered_test_messages,
    are_written,
    share,
)
from apps.experiments.statistics import bootstrap_gap, tidy
from apps.models_registry.contracts import Direction, Metric

TOO_FEW = f"fewer than {FEWEST_TO_JUDGE} samples: too few to judge"


class FairnessEvaluator(Evaluator):
    """Accuracy and fitting replies by subgroup, and the largest gap between two."""

    name = "fairness"
    version = "1"
    fields = ("text", "category", "subgroup", "split")

    def evaluate(self, subject: Subject) -> tuple[Metric, ...]:
        groups: dict[str, list[Answered]] = {}
        for item in answered_test_messages(subject):
            groups.setdefault(item.subgroup, []).append(item)
        if are_written([item for group in groups.values() for item in group]):
            passing = {
                name: (sum(item.passes for item in group), len(group))
                for name, group in sorted(groups.items())
            }
            return tuple(_by_group("reply_passes", passing, subject.seed))
        accuracy = {
            name: (sum(item.is_right for item in group), len(group))
            for name, group in sorted(groups.items())
        }
        by_group = _by_group("accuracy", accuracy, subject.seed)
        if not subject.replies:
            return by_group
        fitting = {
            name: (
                sum(item.category in item.reply_categories[:1] for item in group),
                len(group),
            )
            for name, group in sorted(groups.items())
        }
        return (
            *by_group,
            *_by_group("reply_fits_top_1", fitting, subject.seed),
        )


def _by_group(
    name: str, groups: dict[str, tuple[int, int]], seed: int
) -> tuple[Metric, ...]:
    judged = {
        group: counts
        for group, counts in groups.items()
        if counts[1] >= FEWEST_TO_JUDGE
    }
    return (
        _gap(name, judged, seed),
        *(
            share(name, *counts, slice=f"subgroup={group}")
            if group in judged
            else _unjudged(name, group, counts[1])
            for group, counts in groups.items()
        ),
    )


def _unjudged(name: str, group: str, count: int) -> Metric:
    return Metric(
        name,
        None,
        "share",
        count,
        Direction.HIGHER,
        slice=f"subgroup={group}",
        note=TOO_FEW,
    )


def _gap(name: str, judged: dict[str, tuple[int, int]], seed: int) -> Metric:
    total = sum(count for _, count in judged.values())
    metric = f"{name}_gap"
    if len(judged) < 2:
        return Metric(
            metric,
            None,
            "share",
            total,
            Direction.LOWER,
            note="fewer than two subgroups are large enough to compare",
        )
    shares = {group: right / count for group, (right, count) in judged.items()}
    worst = min(shares, key=lambda group: (shares[group], group))
    best = max(shares, key=lambda group: (shares[group], group))
    low, high = bootstrap_gap(list(judged.values()), seed)
    return Metric(
        metric,
        tidy(shares[best] - shares[worst]),
        "share",
        total,
        Direction.LOWER,
        low,
        high,
        note=f"from {worst} to {best}",
    )
