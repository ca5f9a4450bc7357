"""Joins concurrent calls of one model into runs of several items.

There is no thread of its own: the first caller leads, runs what has gathered, and hands
on to the next that waits. While one run computes the next batch fills, so waiting on
purpose pays only under load: the leader waits, for ``max_wait_s`` at most, when the run
before it had company.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from apps.models_registry.adapters.deadlines import remaining_s
from apps.models_registry.errors import DeadlinePassed

T = TypeVar("T")
R = TypeVar("R")
Run = Callable[[list[T], float | None], list[R]]


class _Ticket(Generic[T, R]):
    """One call: its items, and what came of them."""

    def __init__(self, items: Sequence[T], deadline: float | None) -> None:
        self.items = list(items)
        self.deadline = deadline
        self.woken = threading.Event()
        self.leads = False
        self.results: list[R] | None = None
        self.error: Exception | None = None

    def outcome(self) -> list[R]:
        if self.error is not None:
            raise self.error
        if self.results is None:
            raise DeadlinePassed("The time for this prediction is over.")
        return self.results


class Batcher(Generic[T, R]):
    """``run`` gets at most ``max_items`` at once and keeps their order.

    A run that fails with several calls in it is repeated call by call, so that no
    caller fails for another's item.
    """

    def __init__(self, run: Run[T, R], *, max_items: int, max_wait_s: float) -> None:
        self._run = run
        self._max_items = max_items
        self._max_wait_s = max_wait_s
        self._changed = threading.Condition()
        self._queue: deque[_Ticket[T, R]] = deque()
        self._is_led = False
        self._is_crowded = False

    def submit(self, items: Sequence[T], deadline: float | None) -> list[R]:
        """Results in order; DeadlinePassed, or what ``run`` raised for these items."""
        ticket: _Ticket[T, R] = _Ticket(items, deadline)
        with self._changed:
            self._queue.append(ticket)
            if not self._is_led:
                self._is_led = ticket.leads = True
            self._changed.notify_all()
        if not ticket.leads:
            self._wait(ticket)
        if ticket.leads:
            self._lead()
        return ticket.outcome()

    def _wait(self, ticket: _Ticket[T, R]) -> None:
        """Until the ticket is answered, has to lead, or is late."""
        deadline = ticket.deadline
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        if ticket.woken.wait(left):
            return
        with self._changed:
            if not ticket.leads and ticket in self._queue:
                self._queue.remove(ticket)

    def _lead(self) -> None:
        try:
            batch = self._gathered()
            self._answer(batch)
        finally:
            self._hand_on()
        for ticket in batch:
            ticket.woken.set()

    def _gathered(self) -> list[_Ticket[T, R]]:
        """The leader's ticket and as many more as fit, in the order they came."""
        with self._changed:
            if self._is_crowded and self._max_wait_s > 0:
                self._changed.wait_for(
                    lambda: self._queued() >= self._max_items, self._max_wait_s
                )
            batch = [self._queue.popleft()]
            count = len(batch[0].items)
            while self._queue and count + len(self._queue[0].items) <= self._max_items:
                batch.append(self._queue.popleft())
                count += len(batch[-1].items)
            self._is_crowded = len(batch) > 1 or bool(self._queue)
            return batch

    def _queued(self) -> int:
        return sum(len(ticket.items) for ticket in self._queue)

    def _answer(self, batch: list[_Ticket[T, R]]) -> None:
        items = [item for ticket in batch for item in ticket.items]
        try:
            results = self._in_slices(items, _latest(batch))
        except Exception as error:  # noqa: BLE001 - adapter boundary, raised by outcome
            if len(batch) == 1:
                batch[0].error = error
                return
            for ticket in batch:
                self._answer([ticket])
            return
        for ticket in batch:
            ticket.results = results[: len(ticket.items)]
            del results[: len(ticket.items)]

    def _in_slices(self, items: list[T], deadline: float | None) -> list[R]:
        results: list[R] = []
        for first in range(0, len(items), self._max_items):
            remaining_s(deadline)
            part = items[first : first + self._max_items]
            results.extend(self._run(part, deadline))
        return results

    def _hand_on(self) -> None:
        with self._changed:
            if not self._queue:
                self._is_led = False
                return
            self._queue[0].leads = True
            self._queue[0].woken.set()


def _latest(batch: Sequence[_Ticket[T, R]]) -> float | None:
    """When nobody waits any more: one hurried caller must not stop the others' run."""
    moments = [ticket.deadline for ticket in batch]
    known = [moment for moment in moments if moment is not None]
    return max(known) if len(known) == len(moments) else None
