"""What comes of each way in which a gate can fail: observed, not written down.

``observe`` breaks a stand-in for one gate, which declares what the configured gate
declares, and lets the real runner judge it. The page docs/gates/fail-modes.md and the
admin show what it returns; tests break the real gates and compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from apps.core.errors import IntegrityFailure, Unavailable
from apps.safety.contracts import (
    Decision,
    Gate,
    Inspection,
    Stage,
    Thresholds,
    Verdict,
)
from apps.safety.masking import WITHHELD
from apps.safety.pipeline import GateRunner
from apps.safety.policy import Policy
from apps.safety.windows import WINDOW_CHARS

CALM = "we walked to the market and bought bread"
LAST_WORD = "here"
OVERSIZED_CHARS = 5 * WINDOW_CHARS
UNKNOWN_LOCALE = "zxx"
# A calm sentence in a language of no gate, under a locale that every gate knows.
FOREIGN = "aujourd'hui nous sommes allés au marché et nous avons acheté du pain"
_DEADLINE_MS = 60_000.0


class FailMode(StrEnum):
    """A way to fail that every gate is tried with."""

    EXCEPTION = "exception"
    TIMEOUT = "timeout"
    MISSING_WEIGHTS = "missing_weights"
    CORRUPT_WEIGHTS = "corrupt_weights"
    OUT_OF_MEMORY = "out_of_memory"
    UNSUPPORTED_LANGUAGE = "unsupported_language"
    FOREIGN_TEXT = "foreign_text"
    OVERSIZED_TEXT = "oversized_text"

    @property
    def label(self) -> str:
        return self.value.replace("_", " ")


_RAISED: dict[FailMode, Callable[[], Exception]] = {
    FailMode.EXCEPTION: lambda: RuntimeError("an error nobody foresaw"),
    FailMode.MISSING_WEIGHTS: lambda: Unavailable("no weights"),
    FailMode.CORRUPT_WEIGHTS: lambda: IntegrityFailure("not the bytes of the digest"),
    FailMode.OUT_OF_MEMORY: MemoryError,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the runner made of one failure of one gate on one stage.

    ``decision`` is that gate's; the stage is at least as strict. ``reason`` is the
    runner's code, empty where the gate answered after all. ``failed``
    is the verdict's own flag. ``is_text_withheld`` says that no later step sees even
    the masked text.
    """

    gate: str
    stage: Stage
    mode: FailMode
    decision: Decision
    reason: str
    failed: bool
    is_text_withheld: bool


class _StandIn:
    """Declares what a gate declares, allows everything, and fails as told."""

    def __init__(self, like: type[Gate], mode: FailMode | None = None) -> None:
        self.name, self.version = like.name, like.version
        self.stages, self.languages = like.stages, like.languages
        self.on_failure, self.reasons = like.on_failure, like.reasons
        self.deadline_ms = like.deadline_ms
        self._mode = mode
        if mode is FailMode.TIMEOUT:
            # No time at all: whatever the answer takes, it is late.
            self.deadline_ms = -1.0

    def inspect(self, inspection: Inspection, thresholds: Thresholds) -> Verdict:
        if self._mode in _RAISED:
            raise _RAISED[self._mode]()
        decision = Decision.ALLOW
        if self._mode is FailMode.OVERSIZED_TEXT:
            found = inspection.text.endswith(LAST_WORD)
            decision = Decision(self.on_failure.value) if found else decision
        return Verdict(self.name, self.version, decision, 0.0, None)


def observe(gates: Iterable[type[Gate]], policy: Policy) -> tuple[Outcome, ...]:
    """Every gate, on each of its stages, failing in each way."""
    classes = tuple(gates)
    return tuple(
        _observed(classes, gate, (stage, mode), policy)
        for gate in classes
        for stage in Stage
        if stage in gate.stages
        for mode in FailMode
    )


def _observed(
    classes: Sequence[type[Gate]],
    broken: type[Gate],
    case: tuple[Stage, FailMode],
    policy: Policy,
) -> Outcome:
    stage, mode = case
    # mypy: a stand-in declares on the instance what gates declare on the class.
    gates: list[Gate] = [
        _StandIn(gate, mode if gate is broken else None)  # type: ignore[misc]
        for gate in classes
    ]
    inspection = inspection_for(broken, stage, mode)
    result = GateRunner(gates, policy).run(inspection)
    verdict = result.verdict(broken.name)
    return Outcome(
        gate=broken.name,
        stage=stage,
        mode=mode,
        decision=verdict.decision,
        reason=verdict.reasons[-1] if verdict.reasons else "",
        failed=verdict.failed,
        is_text_withheld=result.masked_text == WITHHELD,
    )


def inspection_for(gate: type[Gate], stage: Stage, mode: FailMode) -> Inspection:
    """A calm text; in no known language, or long with its sign at the very end."""
    locale = sorted(gate.languages)[0]
    calm = Inspection(CALM, stage, locale, deadline_ms=_DEADLINE_MS)
    if mode is FailMode.UNSUPPORTED_LANGUAGE:
        return replace(calm, locale=UNKNOWN_LOCALE)
    if mode is FailMode.FOREIGN_TEXT:
        return replace(calm, text=FOREIGN)
    if mode is FailMode.OVERSIZED_TEXT:
        filler = f"{CALM} " * (OVERSIZED_CHARS // len(CALM))
        return replace(calm, text=filler + LAST_WORD)
    return calm
