"""What a stream is given and what it gives back; frozen values, nothing from Django."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from apps.safety.contracts import Decision
from apps.safety.pipeline import StageResult


@dataclass(frozen=True, slots=True)
class Frame:
    """The conversation a reply belongs to; ``context`` oldest first, the turn that is
    being answered last.
    """

    locale: str = "en"
    context: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """``deadline_ms`` runs from the making of the stream to its end.

    Sizes are in code points: a step takes at least ``step_chars`` of new text and at
    least one ``growth``-th of the window it is read in; text without a settled border
    is cut at a blank once ``flush_chars`` of it are held, the last ``tail_chars`` of
    which stay back. ``tail_chars`` must exceed what one identifier and all that
    overlap it can span (ADR 0012).
    """

    deadline_ms: float = 120_000.0
    step_chars: int = 24
    growth: int = 8
    flush_chars: int = 1000
    tail_chars: int = 400


class StopReason(StrEnum):
    VERDICT = "verdict"
    INCOMPLETE = "verdicts_incomplete"
    UNSWEPT = "sweep_not_clean"
    INCONSISTENT = "released_text_reconsidered"
    DEADLINE = "deadline_exceeded"


@dataclass(frozen=True, slots=True)
class Released:
    """Checked text that may be delivered; pieces joined in order make the reply."""

    text: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing more is released; the caller sends the safe reply for ``decision``.

    ``decision`` is BLOCK, REPLACE or ESCALATE. ``result`` is what was inspected when
    the stream stopped, for the case that an escalation opens; None at the deadline.
    """

    reason: StopReason
    decision: Decision
    result: StageResult | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """The last event: the pass over the whole text, for audit.

    ``decision`` is the stricter of ``whole`` and ``stop``. ``whole`` covers the text up
    to where the stream stopped, or all of it. ``released`` is what was let out,
    identifiers hidden; ``held_chars`` counts code points of text never let out.
    """

    decision: Decision
    whole: StageResult
    stop: Stop | None
    released: str
    held_chars: int


Event = Released | Stop | Ending
