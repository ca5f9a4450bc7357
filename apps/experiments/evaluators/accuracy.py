"""How often the model is right: the category, and whether its replies fit it.

Of a model that writes, how often its reply could be used at all: whether a reply is
right in its words is for people to judge.
"""

from __future__ import annotations

from apps.experiments.contracts import Evaluator, Subject
from apps.experiments.evaluators.samples import (
    Answered,
    answered_test_messages,
    are_written,
    share,
)
from apps.experiments.statistics import Indices, bootstrap, macro_f1, tidy
from apps.models_registry.contracts import Direction, Metric


class AccuracyEvaluator(Evaluator):
    """On the test split. A reply fits when it was written for the right category."""

    name = "accuracy"
    version = "1"
    fields = ("text", "category", "subgroup", "split")

    def evaluate(self, subject: Subject) -> tuple[Metric, ...]:
        answered = answered_test_messages(subject)
        if are_written(answered):
            return _usable(answered)
        return (
            _right("accuracy", answered),
            _macro_f1(answered, subject.seed),
            # A model without a library, such as a classifier, ranks no reply.
            *(_fits(answered, top) for top in (1, 3) if subject.replies),
            *(
                _right(
                    "accuracy",
                    [item for item in answered if item.category == category],
                    f"category={category}",
                )
                for category in sorted({item.category for item in answered})
            ),
        )


def _usable(answered: list[Answered]) -> tuple[Metric, ...]:
    """The share of written replies that the gates let out, overall and by category."""
    passing = sum(item.passes for item in answered)
    groups: dict[str, list[Answered]] = {}
    for item in answered:
        groups.setdefault(f"category={item.category}", []).append(item)
    return (
        share("reply_passes", passing, len(answered)),
        *(
            share(
                "reply_passes", sum(item.passes for item in one), len(one), slice=name
            )
            for name, one in sorted(groups.items())
        ),
    )


def _right(name: str, answered: list[Answered], slice: str = "") -> Metric:
    right = sum(item.is_right for item in answered)
    return share(name, right, len(answered), slice=slice)


def _fits(answered: list[Answered], top: int) -> Metric:
    # A classifier ranks no replies: there is nothing that could fit.
    ranked = [item for item in answered if item.reply_categories]
    fitting = sum(item.category in item.reply_categories[:top] for item in ranked)
    return share(f"reply_fits_top_{top}", fitting, len(ranked))


def _macro_f1(answered: list[Answered], seed: int) -> Metric:
    def statistic(indices: Indices) -> float:
        picked = [answered[index] for index in indices]
        return macro_f1([p.category for p in picked], [p.given for p in picked])

    value = macro_f1([a.category for a in answered], [a.given for a in answered])
    low, high = bootstrap(statistic, len(answered), seed)
    return Metric(
        "macro_f1", tidy(value), "share", len(answered), Direction.HIGHER, low, high
    )
