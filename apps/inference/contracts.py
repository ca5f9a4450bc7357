"""What the gated path takes, passes from step to step, and gives back.

Frozen values and protocols only, nothing from Django. The gateway knows gates, models
and routers through the protocols below and can be tried against any of them; it must
never see an HTTP request, and no value here except ``ServingRequest`` and ``Inspected``
may hold what a participant wrote.
"""

from __future__ import annotations

import uuid
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from apps.accounts.contracts import KeyFacts
from apps.core.errors import PlatformError
from apps.models_registry.contracts import (
    GenerationEnd,
    GenerationOptions,
    Prediction,
    Role,
    ServableVersion,
    TextRequest,
)
from apps.safety.contracts import Decision, RiskLevel, Stage, Verdict
from apps.safety.policy import Contact
from apps.safety.streaming import Ending, OutputStream

OUTPUT_GATES = frozenset(
    {"crisis", "toxicity", "privacy", "bias", "appropriateness", "redaction"}
)
INPUT_GATES = frozenset({"crisis", "toxicity", "privacy"})


class Outcome(StrEnum):
    """How one request ended. The first five are the strictest gate decision."""

    ALLOW = "allow"
    MASK = "mask"
    REPLACE = "replace"
    BLOCK = "block"
    ESCALATE = "escalate"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"


class Source(StrEnum):
    """Who wrote the reply: the model, after six gates, or an approved fixed text."""

    MODEL = "model"
    FIXED = "fixed"


class FixedText(StrEnum):
    """The approved texts that stand in for a model's words."""

    CRISIS = "crisis"
    BLOCKED = "blocked"
    UNAVAILABLE = "unavailable"
    LICENSED = "licensed"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class ServingRequest:
    """One accepted request. ``context`` holds earlier turns, oldest first.

    ``roles`` says who wrote each of them; empty when nobody said. ``instructions`` are
    the calling program's own words to the model: identifiers in them are masked, and
    they are no part of the conversation that gates judge. ``id`` is the correlation id
    of everything that follows: the record, the audit entry and the escalation.
    ``deadline_ms`` counts from the call of the gateway.
    """

    id: uuid.UUID
    model_name: str
    text: str
    context: tuple[str, ...] = ()
    locale: str = "en"
    participant_ref: str = ""
    deadline_ms: float = 5000.0
    roles: tuple[Role, ...] = ()
    instructions: tuple[str, ...] = ()
    options: GenerationOptions = field(default_factory=GenerationOptions)


@dataclass(frozen=True, slots=True)
class RouteQuestion:
    """What a router may look at: who calls and for which model, never the text."""

    request_id: uuid.UUID
    caller_id: str
    model_name: str
    participant_ref: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """A router's answer: the version to serve, versions to shadow, and why."""

    version_id: str
    reason: str
    shadow_version_ids: tuple[str, ...] = ()


class Router(Protocol):
    """Chooses a version; what it returns is still refused unless approved."""

    def route(self, question: RouteQuestion) -> Route: ...


@dataclass(frozen=True, slots=True)
class Routed:
    """The version a router chose, as the registry knows it, and why.

    ``approval_id`` names the approval that covers its digest; empty when none does.
    ``shadow_version_ids`` are to be asked the same, compared, and never delivered.
    """

    version: ServableVersion
    reason: str
    approval_id: str = ""
    shadow_version_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """The policy whose thresholds decided."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class Inspected:
    """One stage's answer. ``text`` is the inspected text with spans masked.

    ``rules`` holds the codes of the policy's rules that spoke. ``original`` is what was
    inspected, kept for sealing alone; it is never rendered.
    ``risk`` is the crisis gate's grade; HIGH when that gate failed.
    """

    stage: Stage
    decision: Decision
    verdicts: tuple[Verdict, ...]
    text: str
    risk: RiskLevel = RiskLevel.HIGH
    original: str = field(default="", repr=False)
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FixedReply:
    text: str
    contacts: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenedEscalation:
    id: str
    level: str


class Guard(Protocol):
    """The gates under one policy. No method raises: a failure is a verdict.

    ``policy`` is None when none is in force; the input is then still inspected for
    crisis, and nothing can be released.
    """

    policy: PolicyFacts | None

    def inspect_input(self, request: ServingRequest) -> Inspected: ...

    def inspect_output(self, request: ServingRequest, reply: str) -> Inspected: ...

    def masked_context(self, request: ServingRequest) -> tuple[str, ...]:
        """Earlier turns with identifiers masked; a turn that cannot be is left out."""
        ...

    def sweep(self, texts: Sequence[str], locale: str) -> tuple[Verdict, ...]:
        """The redaction gate's verdict on each text, in order; () when it cannot."""
        ...

    def stream(self, request: ServingRequest, deadline_ms: float) -> OutputStream:
        """What releases the reply to this request piece by piece."""
        ...

    def concluded(self, ending: Ending, original: str) -> Inspected:
        """The output stage of a stream that has ended; ``original`` is its text."""
        ...


class Parts(Protocol):
    """All that the gateway reaches outside itself.

    ``route``, ``predict`` and ``generate`` raise PlatformError; ``escalate`` commits
    the case in a transaction of its own before it returns.
    """

    def guard(self) -> Guard: ...

    def route(self, question: RouteQuestion) -> Routed: ...

    def predict(
        self, version: ServableVersion, asked: TextRequest, deadline_ms: float
    ) -> Prediction: ...

    def streams(self, version: ServableVersion) -> bool:
        """Whether the version gives text before all of it is written."""
        ...

    def generate(
        self, version: ServableVersion, asked: TextRequest
    ) -> Generator[str | GenerationEnd]:
        """The reply as it is written; closing it stops the writing."""
        ...

    def fixed(self, kind: FixedText, locale: str) -> FixedReply: ...

    def answer_locale(self, request: ServingRequest) -> str:
        """In which locale to answer: that of the text itself where texts exist."""
        ...

    def escalate(
        self, request: ServingRequest, found: Inspected
    ) -> OpenedEscalation: ...

    def notice(self, request: ServingRequest) -> str:
        """What has to be told beside this reply; empty when nothing has. Never raises
        for want of a database."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """What leaves; ``notice`` is an approved text told beside it.

    With ``Source.MODEL`` it is made in release.py and nowhere else.
    """

    text: str
    source: Source
    labels: Mapping[str, float] = field(default_factory=dict)
    contacts: tuple[Contact, ...] = ()
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything decided about one request, ready to be closed and delivered.

    ``finish`` is how the model ended: ``stop``, or ``length`` at its token limit.
    """

    request: ServingRequest
    outcome: Outcome
    reply: Reply
    policy: PolicyFacts | None = None
    routed: Routed | None = None
    input: Inspected | None = None
    output: Inspected | None = None
    escalation: OpenedEscalation | None = None
    problem: PlatformError | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    finish: str = "stop"


class Mirror(Protocol):
    """Compares answers with those of shadows. Returns at once, never raises."""

    def mirror(self, caller: KeyFacts, answer: Answer) -> None: ...
