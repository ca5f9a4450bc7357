"""What runners, adapters and reports promise one another: frozen values and protocols.

Nothing here may import Django, torch or onnxruntime: serving, training and evaluation
meet in this file, and each must be loadable without the others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import ClassVar, Protocol

DatasetRow = Mapping[str, object]
RowSource = Callable[[], Iterator[DatasetRow]]


# -- serving ---------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class TextRequest:
    """One text for a model, with earlier turns, oldest first."""

    text: str
    context: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prediction:
    """A model's answer. ``labels`` are probabilities by name that sum to 1.

    ``elapsed_ms`` is this item's share of the batch it was computed in.
    """

    text: str
    labels: Mapping[str, float]
    reply_id: str
    model_version_digest: str
    elapsed_ms: float
    reply_ranking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServableVersion:
    """A model version as serving needs it; ``digest`` is what was signed for."""

    id: str
    model_name: str
    number: int
    state: str
    digest: str
    adapter: str
    artifacts: Mapping[str, str]
    signature: Mapping[str, object]

    @property
    def label(self) -> str:
        return f"{self.model_name}@{self.number}"


class VerifiedBytes(Protocol):
    """What ``artifacts.open_verified`` returns; the only thing an adapter loads."""

    @property
    def digest(self) -> str: ...

    @property
    def content(self) -> bytes: ...


class ModelAdapter(ABC):
    """One format, spoken to in one way.

    ``files`` names the artifacts it loads. ``predict`` keeps the order of the batch and
    raises PredictionFailed, chained, for whatever went wrong; ``unload`` may be called
    twice.
    """

    name: ClassVar[str] = ""
    version: ClassVar[str] = ""
    files: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def load(
        self, artifacts: Mapping[str, VerifiedBytes], *, version_digest: str
    ) -> None: ...

    @abstractmethod
    def predict(self, batch: Sequence[TextRequest]) -> list[Prediction]: ...

    @abstractmethod
    def signature(self) -> Mapping[str, object]: ...

    @abstractmethod
    def unload(self) -> None: ...

    @property
    @abstractmethod
    def memory_bytes(self) -> int:
        """About how much memory the loaded model holds; the pool evicts by it."""


# -- training --------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to a run; ``token`` grows with every claim."""

    run_id: str
    token: int
    owner: str


class RunLog(Protocol):
    """Where a runner writes. A call raises LeaseLost when the run is no longer ours."""

    def metrics(self, step: int, values: Mapping[str, float]) -> None: ...

    def checkpoint(self, step: int, content: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """A manifest, its rows, and where to continue.

    ``resume`` is the last checkpoint's bytes; None starts from the beginning.
    """

    manifest: Mapping[str, object]
    datasets: Mapping[str, RowSource]
    device: str = "cpu"
    resume: bytes | None = None


@dataclass(frozen=True, slots=True)
class TrainedArtifact:
    kind: str
    content: bytes


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """What a runner made. ``summary`` is text for the model card."""

    artifacts: Mapping[str, TrainedArtifact]
    signature: Mapping[str, object]
    adapter: str
    last_step: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    summary: str = ""


class TrainingRunner(ABC):
    """A manifest in, artifacts and a metrics log out.

    The same manifest gives the same artifact bytes, also when the run was killed and
    resumed. A runner opens no database and no network.
    """

    name: ClassVar[str] = ""
    version: ClassVar[str] = ""
    datasets: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def check(self, hyperparameters: Mapping[str, object]) -> None:
        """Raise InvalidInput for hyper-parameters it cannot use."""

    @abstractmethod
    def run(self, job: TrainingJob, log: RunLog) -> TrainingOutcome: ...


# -- evaluation ------------------------------------------------------------------------
class Direction(StrEnum):
    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Metric:
    """One number. ``low`` and ``high`` bound its 95 % interval, when it has one.

    ``slice`` is empty overall, else ``field=value``. ``value`` is None, with a
    ``note``, where there were too few samples to judge.
    """

    name: str
    value: float | None
    unit: str
    count: int
    direction: Direction
    low: float | None = None
    high: float | None = None
    slice: str = ""
    note: str = ""

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "direction": self.direction.value}


@dataclass(frozen=True, slots=True)
class ReportDraft:
    """What an evaluator hands to ``services.record_report``."""

    evaluator: str
    evaluator_version: str
    dataset_digest: str
    seed: int
    metrics: tuple[Metric, ...]


# -- promotion -------------------------------------------------------------------------
class PromotionRule(Protocol):
    """Says why a version may not be submitted or promoted, beyond its signatures."""

    def refusals(self, version_id: str) -> list[str]:
        """In words; empty when nothing refuses."""
        ...

    def evidence(self, version_id: str) -> dict[str, object]:
        """How the version stands, as signers are shown it."""
        ...
