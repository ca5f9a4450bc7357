"""Asking shadows what they would have said, after the person was answered.

One thread a process, with a short line before it: when shadows are slow, requests are
dropped from the comparison, never delayed. What people wrote stays in this process's
memory and goes nowhere: not to a broker, a table or a log. A shadow's words are read by
the output gates and thrown away; they open no escalation, since nobody is told them.
"""

from __future__ import annotations

import logging
import queue
import threading

from django.db import DatabaseError, connection

from apps.accounts.contracts import KeyFacts
from apps.accounts.permissions import system_actor
from apps.core.errors import PlatformError
from apps.experiments.metrics import SHADOWS
from apps.experiments.rollouts.assignment import rollout_of
from apps.experiments.services import record_comparison
from apps.experiments.services.shadows import Comparison
from apps.inference.contracts import Answer, Outcome, Reply, Source
from apps.inference.gateway import APPROVED
from apps.inference.parts import PlatformParts, version_and_approval
from apps.inference.release import released_reply
from apps.inference.stopwatch import Stopwatch
from apps.models_registry.contracts import TextRequest
from apps.safety.contracts import Decision

logger = logging.getLogger(__name__)
WAITING = 32


class ShadowMirror:
    """Takes answers in, compares them in a thread of its own."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[tuple[KeyFacts, Answer]] = queue.Queue(WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def mirror(self, caller: KeyFacts, answer: Answer) -> None:
        try:
            self._waiting.put_nowait((caller, answer))
        except queue.Full:
            SHADOWS.labels("dropped").inc()
            return
        self._ensure_thread()

    def wait(self) -> None:
        """Until everything taken in so far was compared."""
        self._waiting.join()

    def _ensure_thread(self) -> None:
        # Not in __init__: a server forks after importing, and threads do not follow.
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            caller, answer = self._waiting.get()
            try:
                compare_shadows(caller, answer)
            except (PlatformError, DatabaseError) as error:
                SHADOWS.labels("failed").inc()
                logger.warning(
                    "Shadow not compared", extra={"code": type(error).__name__}
                )
            finally:
                # A connection kept while nothing is mirrored would only go stale.
                connection.close()
                self._waiting.task_done()


def compare_shadows(caller: KeyFacts, answer: Answer) -> None:
    """Ask every shadow that the router named, and keep how it compares."""
    routed = answer.routed
    place = rollout_of(routed.reason) if routed else None
    if routed is None or place is None:
        return
    for version_id in routed.shadow_version_ids:
        outcome, reply, shadow_ms = _shadow(caller, answer, version_id)
        record_comparison(
            actor=system_actor("shadow"),
            found=Comparison(
                rollout_id=place[0],
                step=place[1],
                version_id=version_id,
                record_id=answer.request.id,
                served_decision=answer.outcome.value,
                shadow_decision=outcome.value,
                is_same_reply=_is_same(answer.reply, reply),
                served_ms=answer.timings.get("predict_ms", 0.0),
                shadow_ms=shadow_ms,
            ),
        )
        SHADOWS.labels("compared").inc()


def _shadow(
    caller: KeyFacts, answer: Answer, version_id: str
) -> tuple[Outcome, Reply | None, float]:
    """What the shadow's reply would have come to; it ends here."""
    request, found, parts = answer.request, answer.input, PlatformParts(caller)
    version, approval_id = version_and_approval(version_id)
    if found is None or version.state != APPROVED or not approval_id:
        return Outcome.REFUSED, None, 0.0
    guard, watch = parts.guard(), Stopwatch(request.deadline_ms)
    context = guard.masked_context(request)
    try:
        with watch.step("predict"):
            reply = parts.predict(
                version, TextRequest(found.text, context), watch.remaining_ms()
            )
    except PlatformError:
        return Outcome.UNAVAILABLE, None, watch.timings()["predict_ms"]
    shadow_ms = watch.timings()["predict_ms"]
    output = guard.inspect_output(request, reply.text)
    if output.decision is Decision.ESCALATE:
        return Outcome.ESCALATE, None, shadow_ms
    released = released_reply(guard, output, reply, request.locale)
    if released is None:
        replaced = output.decision is Decision.REPLACE
        return Outcome.REPLACE if replaced else Outcome.BLOCK, None, shadow_ms
    strictest = max(found.decision, output.decision)
    return Outcome(strictest.slug), released, shadow_ms


def _is_same(served: Reply, shadow: Reply | None) -> bool:
    """Whether a participant would have read the same words of a model."""
    if shadow is None or served.source is Source.FIXED:
        return False
    return served.text == shadow.text
