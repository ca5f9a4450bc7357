"""Screening on several cores: order kept, memory bounded, the same lines as on one.

Lines go to the processes in small batches; as many batches as the processes need are
under way at once, so a file of any length takes the same memory. Each process is a new
one that loads the gates for itself: forking would copy the sessions of the parent.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

from apps.core.errors import IntegrityFailure, Unavailable
from apps.safety.pipeline import GateRunner
from apps.safety.screening import ScreenedLine, screen_lines

BATCH_LINES = 32
BATCH_BYTES = 256 * 1024
BATCHES_AHEAD = 3


@dataclass(frozen=True, slots=True)
class Screening:
    """What every process screens with; ``document`` is the policy's JSON value."""

    document: Any
    name: str
    version: int
    digest: str
    explain: int = 0


@dataclass(frozen=True, slots=True)
class _Batch:
    first: int
    lines: list[bytes]


_runner: GateRunner | None = None
_explain = 0


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def screen_on_cores(
    screening: Screening, lines: Iterable[bytes], processes: int
) -> Iterator[ScreenedLine]:
    """What ``screen_lines`` gives, in the same order, from several processes.

    Raises Unavailable when a process dies, after what came before it was given.
    """
    pool = ProcessPoolExecutor(
        processes,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start,
        initargs=(screening,),
    )
    waiting: deque[Future[list[ScreenedLine]]] = deque()
    try:
        for batch in _batches(lines):
            waiting.append(pool.submit(_screened, batch))
            if len(waiting) >= BATCHES_AHEAD * processes:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenProcessPool as error:
        raise Unavailable(
            "A screening process died; it may have run out of memory. Screen again, "
            "with fewer --processes."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _batches(lines: Iterable[bytes]) -> Iterator[_Batch]:
    first, held, size = 1, [], 0
    for number, line in enumerate(lines, start=1):
        held.append(line)
        size += len(line)
        if len(held) >= BATCH_LINES or size >= BATCH_BYTES:
            yield _Batch(first, held)
            first, held, size = number + 1, [], 0
    if held:
        yield _Batch(first, held)


def _start(screening: Screening) -> None:
    """Load the gates in a new process, under the parent's policy and no other."""
    global _runner, _explain
    import django

    django.setup()
    from apps.safety.assembly import runner_for, warm
    from apps.safety.policy import parse_policy

    policy = parse_policy(
        screening.document, name=screening.name, version=screening.version
    )
    if policy.digest != screening.digest:
        raise IntegrityFailure("The policy changed on its way to a process.")
    warm()
    _runner, _explain = runner_for(policy, thorough=True), screening.explain


def _screened(batch: _Batch) -> list[ScreenedLine]:
    assert _runner is not None  # noqa: S101 - the initializer has run
    return list(screen_lines(_runner, batch.lines, _explain, first=batch.first))
