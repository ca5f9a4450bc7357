"""Reading test samples and their predictions, once, in batches; text is not kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as field_of
from itertools import islice

from apps.experiments.contracts import Sample, Subject
from apps.experiments.errors import DatasetDoesNotFit
from apps.experiments.statistics import tidy, wilson
from apps.models_registry.contracts import Direction, Metric, Prediction, TextRequest

BATCH = 64
TEST_SPLIT = "test"


@dataclass(frozen=True, slots=True)
class Answered:
    """One test message: what it is, and what the model made of it.

    ``given`` is the category that the model named; a model that writes names none, and
    ``passes`` then says whether the gates let its reply out. ``reply_categories`` are
    those of the ranked replies, best first; ``probabilities`` are the model's, by
    category.
    """

    category: str
    subgroup: str
    given: str
    reply_categories: tuple[str, ...]
    passes: bool = True
    probabilities: Mapping[str, float] = field_of(default_factory=dict)

    @property
    def is_right(self) -> bool:
        return self.category == self.given


def field(sample: Sample, name: str) -> str:
    """A field that must be there; DatasetDoesNotFit otherwise."""
    value = sample.get(name)
    if not isinstance(value, str) or not value:
        raise DatasetDoesNotFit(f"Each sample needs a non-empty field {name!r}.")
    return value


def answered_test_messages(subject: Subject) -> list[Answered]:
    """Each message of the test split, answered; DatasetDoesNotFit without any."""
    categories = {reply.id: reply.category for reply in subject.replies}
    found: list[Answered] = []
    for batch in _batches(subject):
        answers = subject.predict([TextRequest(field(row, "text")) for row in batch])
        for row, answer in zip(batch, answers, strict=True):
            labels = answer.labels
            found.append(
                Answered(
                    category=field(row, "category"),
                    subgroup=field(row, "subgroup"),
                    given=max(labels, key=lambda label: labels[label], default=""),
                    reply_categories=tuple(
                        categories[reply] for reply in answer.reply_ranking
                    ),
                    passes=bool(labels) or _passes(subject, answer),
                    probabilities=dict(answer.labels),
                )
            )
    if not found:
        raise DatasetDoesNotFit("The dataset has no sample in its test split.")
    return found


def _passes(subject: Subject, answer: Prediction) -> bool:
    return subject.gates().read_reply(answer.text).passes


def are_written(answered: list[Answered]) -> bool:
    """Whether the model writes its replies and names no category."""
    return not any(item.given for item in answered)


def _batches(subject: Subject) -> Iterator[list[Sample]]:
    rows = (row for row in subject.samples() if row.get("split") == TEST_SPLIT)
    while batch := list(islice(rows, BATCH)):
        yield batch


def share(
    name: str,
    successes: int,
    count: int,
    direction: Direction = Direction.HIGHER,
    *,
    slice: str = "",
    note: str = "",
) -> Metric:
    """A share with its Wilson interval; None as value when there is no observation."""
    low, high = wilson(successes, count)
    return Metric(
        name=name,
        value=tidy(successes / count) if count else None,
        unit="share",
        count=count,
        direction=direction,
        low=low,
        high=high,
        slice=slice,
        note=note if count else "no sample",
    )
