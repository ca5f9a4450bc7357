"""How often the model is right: the category, and whether its replies fit it."""

from __future__ import annotations

from apps.experiments.contracts import Evaluator, Subject
from apps.experiments.evaluators.samples import (
    Answered,
    answered_test_messages,
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


def _right(name: str, answered: list[Answered], slice: str = "") -> Metric:
    right = sum(item.is_right for item in answered)
    return share(name, right, len(answered), slice=slice)


def _fits(answered: list[Answered], top: int) -> Metric:
    fitting = sum(item.category in item.reply_categories[:top] for item in answered)
    return share(f"reply_fits_top_{top}", fitting, len(answered))


def _macro_f1(answered: list[Answered], seed: int) -> Metric:
    def statistic(indices: Indices) -> float:
        picked = [answered[index] for index in indices]
        return macro_f1([p.category for p in picked], [p.given for p in picked])

    value = macro_f1([a.category for a in answered], [a.given for a in answered])
    low, high = bootstrap(statistic, len(answered), seed)
    return Metric(
        "macro_f1", tidy(value), "share", len(answered), Direction.HIGHER, low, high
    )
