"""What an evaluator is given and what it promises. Frozen values, nothing from Django.

Equal inputs and an equal seed give equal numbers. An evaluator measures; it decides
nothing and it keeps no text.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from apps.models_registry.contracts import Metric, Prediction, TextRequest

Sample = Mapping[str, object]
# Fewer samples than this are reported as too few to judge, without a value.
FEWEST_TO_JUDGE = 10


@dataclass(frozen=True, slots=True)
class LibraryReply:
    """One reply that the model under test can give."""

    id: str
    category: str
    text: str


@dataclass(frozen=True, slots=True)
class GatedReading:
    """What the gates made of one text. ``passes`` allows masking, nothing stricter."""

    passes: bool
    escalates: bool


class GatedPath(Protocol):
    """The gates under one policy, as the inference path asks them."""

    @property
    def policy_label(self) -> str:
        """Name, version and digest of the policy, for the report."""
        ...

    def read_message(self, text: str) -> GatedReading: ...

    def read_reply(self, text: str) -> GatedReading: ...


@dataclass(frozen=True, slots=True)
class Subject:
    """A model version under test, and the frozen dataset it is tested on.

    ``predict`` keeps the order of its batch. ``gates`` builds the gated path when it is
    first needed: loading gates takes seconds.
    """

    samples: Callable[[], Iterator[Sample]]
    predict: Callable[[Sequence[TextRequest]], list[Prediction]]
    replies: tuple[LibraryReply, ...]
    gates: Callable[[], GatedPath]
    seed: int


class Evaluator(ABC):
    """``fields`` are those each sample must have; ``part`` says which dataset fits:
    the one the manifest calls so, or ``safety_suite``. One that ``repeats`` gives equal
    numbers for equal inputs; one that does not is a new report each time."""

    name: ClassVar[str] = ""
    version: ClassVar[str] = ""
    fields: ClassVar[tuple[str, ...]] = ()
    part: ClassVar[str] = "messages"
    repeats: ClassVar[bool] = True

    @abstractmethod
    def evaluate(self, subject: Subject) -> tuple[Metric, ...]: ...
