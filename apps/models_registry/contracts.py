"""What runners, adapters and reports promise one another: frozen values and protocols.

Nothing here may import Django, torch or onnxruntime: serving, training and evaluation
meet in this file, and each must be loadable without the others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import ClassVar, Protocol

DatasetRow = Mapping[str, object]
RowSource = Callable[[], Iterator[DatasetRow]]


# -- serving ---------------------------------------------------------------------------
class Role(StrEnum):
    """Who wrote a turn; ``system`` is what the calling program instructs."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """What a caller may ask of a model that writes; None keeps the version's own.

    ``max_tokens`` is at least 1 and never exceeds the version's. ``temperature`` in
    [0, 2], ``top_p`` in [0, 1]. A model that ranks approved replies ignores them all.
    """

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TextRequest:
    """One text for a model, with earlier turns, oldest first.

    ``roles`` says who wrote each turn of ``context``; empty when nobody said, and then
    the turns alternate, the last one being the assistant's. ``deadline_ms`` is what is
    left for the answer; None leaves it to the adapter.
    """

    text: str
    context: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()
    options: GenerationOptions = GenerationOptions()
    deadline_ms: float | None = None


@dataclass(frozen=True, slots=True)
class GenerationEnd:
    """How writing ended: ``stop``, or ``length`` when the token limit cut it.

    Token counts are the model's own; None when it does not count.
    """

    finish: str = "stop"
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """A model's answer. ``labels`` are probabilities by name that sum to 1.

    ``elapsed_ms`` is this item's share of the batch it was computed in. A model that
    writes has no labels and no ``reply_id``.
    """

    text: str
    labels: Mapping[str, float]
    reply_id: str
    model_version_digest: str
    elapsed_ms: float
    reply_ranking: tuple[str, ...] = ()
    end: GenerationEnd = GenerationEnd()


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


# A secret of an endpoint, by the secret's name and the origin it will be sent to.
SecretReader = Callable[[str, str], str]


class ModelAdapter(ABC):
    """One format, spoken to in one way.

    ``files`` names the artifacts it loads. ``predict`` keeps the order of the batch and
    raises PredictionFailed, chained, for whatever went wrong, and DeadlinePassed once
    the earliest deadline of the batch has passed; ``unload`` may be called twice, and
    ends predictions that are under way. ``streams`` says whether ``stream`` gives text
    before all of it is written.
    """

    name: ClassVar[str] = ""
    version: ClassVar[str] = ""
    files: ClassVar[tuple[str, ...]] = ()
    streams: ClassVar[bool] = False

    def use_secrets(self, read: SecretReader) -> None:  # noqa: B027 - few need any
        """How to read the secrets of endpoints; called before ``load``."""

    @abstractmethod
    def load(
        self, artifacts: Mapping[str, VerifiedBytes], *, version_digest: str
    ) -> None: ...

    @abstractmethod
    def predict(self, batch: Sequence[TextRequest]) -> list[Prediction]: ...

    def stream(self, asked: TextRequest) -> Generator[str | GenerationEnd]:
        """The answer as it is written, and last a GenerationEnd.

        Raises PredictionFailed like ``predict``. Closing it stops the writing.
        """
        (prediction,) = self.predict([asked])
        yield prediction.text
        yield prediction.end

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


def no_artifacts(digest: str) -> VerifiedBytes:
    """For jobs that need none: LookupError whatever is asked for."""
    raise LookupError(f"this job was given no artifacts, not even {digest}")


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """A manifest, its rows, and where to continue.

    ``resume`` is the last checkpoint's bytes; None starts from the beginning.
    ``open_artifact`` gives the verified bytes of a digest that the manifest names.
    """

    manifest: Mapping[str, object]
    datasets: Mapping[str, RowSource]
    device: str = "cpu"
    resume: bytes | None = None
    open_artifact: Callable[[str], VerifiedBytes] = no_artifacts


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
