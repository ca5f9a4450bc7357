"""One generated reply on its way out: read as it grows, released once it is checked.

Every step is a function of the text alone: where it is cut, what is read together and
what is let out never depend on the chunks it came in. Whatever is released keeps, for
good, the look it has under the runner's pass over the whole text; what that pass would
hide is never let out (ADR 0012). Whatever goes wrong stops the stream: there is no path
on which text that no gate has answered for is released.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from apps.safety.contracts import Decision, Inspection, Span, Stage
from apps.safety.masking import mask
from apps.safety.pipeline import GateRunner, StageResult, hidden_spans
from apps.safety.policy import GATE_ORDER
from apps.safety.streaming.borders import gaps, is_settled, known_from
from apps.safety.streaming.buffer import Buffer
from apps.safety.streaming.contracts import (
    Ending,
    Event,
    Frame,
    Limits,
    Released,
    Stop,
    StopReason,
)
from apps.safety.windows import (
    WINDOW_CHARS,
    earliest_next_start,
    next_start,
    window_end,
)

_MAY_LEAVE = frozenset({Decision.ALLOW, Decision.MASK})


@dataclass(frozen=True, slots=True)
class _Cut:
    """Text up to ``at`` may be released once that up to ``read_to`` was inspected."""

    at: int
    read_to: int


class OutputStream:
    """Feed chunks, deliver what comes back, and close it whatever has happened.

    Not for use by several threads at once. ``stop`` is set as soon as anything forbids
    going on; from then on nothing is released.
    """

    def __init__(
        self,
        runner: GateRunner,
        frame: Frame,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runner = runner
        self._frame = frame
        self._limits = limits or Limits()
        self._clock = clock
        self._ends_at = clock() + self._limits.deadline_ms / 1000
        self._text = Buffer()
        self._window = 0
        self._position = 0
        self._scanned = 0
        self._holds = 1
        self._cut: _Cut | None = None
        self._earlier: list[Span] = []
        self._hidden: list[Span] = []
        self._released: list[str] = []
        self._stopped_at: int | None = None
        self._ending: Ending | None = None
        self.stop: Stop | None = None

    @property
    def position(self) -> int:
        """How many code points of the text have been dealt with and let out."""
        return self._position

    def feed(self, chunk: str) -> tuple[Released, ...]:
        """What may be delivered now that ``chunk`` has come; often nothing."""
        if self._is_over() or not (chunk and self._text.add(chunk)):
            return ()
        return tuple(self._steps())

    def close(self) -> tuple[Event, ...]:
        """What was still held, if it may leave, a stop if it may not, and the Ending.

        Runs every gate over the whole text first. Later calls give the Ending alone.
        """
        if self._ending is not None:
            return (self._ending,)
        self._is_over()
        was_stopped = self.stop is not None
        text = self._text.whole()[: self._stopped_at]
        whole = self._runner.run(self._inspection(text))
        last = "" if was_stopped else self._last(whole)
        self._ending = self._ended(whole, text)
        events: list[Event] = [Released(last)] if last else []
        if self.stop is not None and not was_stopped:
            events.append(self.stop)
        return (*events, self._ending)

    def _is_over(self) -> bool:
        is_late = self._ending is None and self._clock() >= self._ends_at
        if is_late and self.stop is None:
            self.stop = Stop(StopReason.DEADLINE, Decision.BLOCK)
        return self.stop is not None or self._ending is not None

    # -- where to cut ------------------------------------------------------------------
    def _steps(self) -> Iterator[Released]:
        while self.stop is None:
            self._cut = self._cut or self._next_cut()
            if self._cut is None or not self._is_reached(self._cut):
                return
            cut, self._cut = self._cut, None
            piece = self._step(cut)
            if piece:
                self._released.append(piece)
                yield Released(piece)

    def _next_cut(self) -> _Cut | None:
        """The first settled border far enough on, or a blank when none comes.

        Each time that a blank cannot serve, more text is held before the next try.
        """
        while True:
            horizon = self._position + self._limits.flush_chars * self._holds
            cut = self._settled_before(horizon)
            if cut is not None or len(self._text) < horizon:
                return cut
            cut = self._blank_before(horizon)
            if cut is not None:
                return cut
            self._holds += 1

    def _settled_before(self, horizon: int) -> _Cut | None:
        base, text = self._text.base, self._text.tail
        end = min(len(text), horizon - base)
        for gap in gaps(text, self._scanned - base, end):
            border = gap[1] + base
            known = known_from(text, gap[1])
            if known is None or known + base > horizon:
                return None
            self._scanned = border
            if self._is_long_enough(border) and is_settled(text, gap):
                return _Cut(border, border)
        return None

    def _is_long_enough(self, border: int) -> bool:
        wanted = (border - self._window) // self._limits.growth
        return border - self._position >= max(self._limits.step_chars, wanted)

    def _blank_before(self, horizon: int) -> _Cut | None:
        """A cut at the last blank that leaves a tail, if there is one."""
        base = self._text.base
        last = horizon - self._limits.tail_chars - base
        found = [end for _, end in gaps(self._text.tail, self._position - base, last)]
        at = found[-1] + base if found else 0
        return _Cut(at, horizon) if at > self._position else None

    def _is_reached(self, cut: _Cut) -> bool:
        """Whether it is known in which window the cut lies; moves to that window."""
        while self.stop is None:
            start = self._window - self._text.base
            bound = earliest_next_start(self._text.tail, start) + self._text.base
            if cut.at <= bound:
                return True
            if len(self._text) <= self._window + WINDOW_CHARS:
                return False
            self._leave_window()
        return False

    def _leave_window(self) -> None:
        """Read a window to its end, as the whole-text pass does, and start the next."""
        tail, base = self._text.tail, self._text.base
        end = window_end(tail, self._window - base)
        spans = self._inspected(self._window, end + base)
        self._window = next_start(tail, end) + base
        self._earlier = [s for s in self._earlier if s.end > self._position] + spans
        self._hidden = [span for span in self._hidden if span.end > self._window]
        self._text.drop(min(self._window, self._position))

    # -- one step ----------------------------------------------------------------------
    def _step(self, cut: _Cut) -> str:
        """The piece that ends at the cut, or before what reaches over it."""
        read_to = min(cut.read_to, self._window + WINDOW_CHARS)
        spans = [*self._earlier, *self._inspected(self._window, read_to)]
        at = self._before_spans(cut.at, spans)
        if self._is_over() or at <= self._position:
            self._holds += 1
            return ""
        start = self._position
        new = [span for span in spans if start <= span.start < at]
        piece = mask(self._text.slice(start, at), _moved(new, -start))
        self._hidden.extend(new)
        self._position = at
        self._scanned = max(self._scanned, at)
        self._holds = 1
        return piece

    def _before_spans(self, at: int, spans: list[Span]) -> int:
        """The cut, or the last blank before any span that reaches over it."""
        while True:
            over = [span.start for span in spans if span.start < at < span.end]
            if not over:
                return at
            base = self._text.base
            end = min(over) + 1 - base
            blanks = [to for _, to in gaps(self._text.tail, self._position - base, end)]
            if not blanks:
                return self._position
            at = blanks[-1] + base

    def _inspected(self, start: int, end: int) -> list[Span]:
        """What is to be hidden in a range; stops the stream unless it may leave."""
        view = self._text.slice(start, end)
        result = self._runner.run(self._inspection(view))
        found = hidden_spans(result.verdicts)
        spans = _moved(found, start)
        reason = self._objection(result, mask(view, found) if found else None)
        if reason is None and any(self._was_shown(span) for span in spans):
            reason = StopReason.INCONSISTENT
        if reason is not None:
            self._stop(reason, result, end)
        return spans

    def _objection(self, result: StageResult, masked: str | None) -> StopReason | None:
        """Why text may not leave; ``masked`` is given when masking has changed it."""
        if {verdict.gate for verdict in result.verdicts} != set(GATE_ORDER):
            return StopReason.INCOMPLETE
        if result.decision not in _MAY_LEAVE:
            return StopReason.VERDICT
        return None if masked is None or self._is_clean(masked) else StopReason.UNSWEPT

    def _is_clean(self, text: str) -> bool:
        """Whether the redaction gate finds nothing in what is about to leave."""
        (gate,) = (gate for gate in self._runner.gates if gate.name == "redaction")
        verdict = self._runner.ask(gate, self._inspection(text, is_alone=True))
        return verdict.decision is Decision.ALLOW and not verdict.failed

    def _was_shown(self, span: Span) -> bool:
        """Whether a part of the span was let out unhidden."""
        end = min(span.end, self._position)
        return span.start < end and not any(
            hidden.start <= span.start and end <= hidden.end for hidden in self._hidden
        )

    def _stop(self, reason: StopReason, result: StageResult, at: int) -> None:
        self.stop = Stop(reason, max(result.decision, Decision.BLOCK), result)
        if reason is StopReason.VERDICT:
            self.stop = Stop(reason, result.decision, result)
        self._stopped_at = at

    def _inspection(self, text: str, *, is_alone: bool = False) -> Inspection:
        context = () if is_alone else self._frame.context
        return Inspection(text, Stage.OUTPUT, self._frame.locale, context)

    # -- the end -----------------------------------------------------------------------
    def _last(self, whole: StageResult) -> str:
        """The rest of the reply, if the pass over the whole text agrees with it."""
        released = "".join(self._released)
        found = hidden_spans(whole.verdicts)
        reason = self._objection(whole, whole.masked_text if found else None)
        if reason is None and not whole.masked_text.startswith(released):
            reason = StopReason.INCONSISTENT
        if reason is not None:
            self._stop(reason, whole, len(self._text))
            return ""
        if self._is_over():
            return ""
        self._position = len(self._text)
        self._released.append(whole.masked_text[len(released) :])
        return self._released[-1]

    def _ended(self, whole: StageResult, text: str) -> Ending:
        stopped = whole.decision if self.stop is None else self.stop.decision
        return Ending(
            decision=max(whole.decision, stopped),
            whole=whole,
            stop=self.stop,
            released="".join(self._released),
            held_chars=len(text) - self._position,
        )


def _moved(spans: Iterable[Span], by: int) -> list[Span]:
    return [Span(span.start + by, span.end + by, span.type) for span in spans]
