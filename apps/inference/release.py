"""The only place where a model's words become a reply.

``released_reply`` gives a Reply with ``Source.MODEL`` or None; ``streamed_reply`` does
for a stream, whose pieces leave through ``released_piece``. They decide from verdicts
alone and take the strict branch whenever something they expect is missing; a test reads
the source tree and fails if any other module names ``Source.MODEL`` to build a reply.
"""

from __future__ import annotations

from collections.abc import Iterable

from apps.inference.contracts import (
    INPUT_GATES,
    OUTPUT_GATES,
    Guard,
    Inspected,
    Reply,
    Source,
)
from apps.models_registry.contracts import Prediction
from apps.safety.contracts import Decision, Stage, Verdict, strictest
from apps.safety.streaming import Ending, Event, Released

MAY_LEAVE = frozenset({Decision.ALLOW, Decision.MASK})


def is_complete(inspected: Inspected) -> bool:
    """Whether every gate of the stage answered and the decision is theirs."""
    wanted = INPUT_GATES if inspected.stage is Stage.INPUT else OUTPUT_GATES
    present = {verdict.gate for verdict in inspected.verdicts}
    return wanted <= present and inspected.decision >= strictest(inspected.verdicts)


def may_leave(inspected: Inspected) -> bool:
    """Whether the gates let the model's text out, as it is or masked."""
    return (
        inspected.stage is Stage.OUTPUT
        and is_complete(inspected)
        and inspected.decision in MAY_LEAVE
    )


def released_reply(
    guard: Guard, inspected: Inspected, reply: Prediction, locale: str
) -> Reply | None:
    """The reply that may leave, or None when anything forbids it.

    The final redaction pass runs over exactly what leaves. It has seen the model's
    text already; what it has not seen is a text that masking changed, and the labels,
    which are text that a model's author chose.
    """
    if guard.policy is None or not may_leave(inspected):
        return None
    changed = [inspected.text] if inspected.text != reply.text else []
    unseen = [*changed, *reply.labels]
    sweeps = guard.sweep(unseen, locale)
    if len(sweeps) != len(unseen) or not _are_clean(sweeps):
        return None
    return Reply(text=inspected.text, source=Source.MODEL, labels=dict(reply.labels))


def released_piece(guard: Guard, event: Event) -> str:
    """The text of a stream's event that may leave; empty when nothing of it may."""
    if guard.policy is None or not isinstance(event, Released):
        return ""
    return event.text


def streamed_reply(guard: Guard, inspected: Inspected, ending: Ending) -> Reply | None:
    """The whole of a reply that a stream has let out, or None when it was stopped."""
    is_whole = ending.stop is None and ending.held_chars == 0
    if guard.policy is None or not is_whole or not may_leave(inspected):
        return None
    return Reply(text=ending.released, source=Source.MODEL)


def _are_clean(sweeps: Iterable[Verdict]) -> bool:
    return all(
        sweep.decision is Decision.ALLOW and not sweep.failed for sweep in sweeps
    )
