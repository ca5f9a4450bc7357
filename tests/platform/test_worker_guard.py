"""A worker whose pool child died does not go on as if nothing had happened."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pe_platform import worker_guard


class AsyncPool:
    """As Celery's pool on a broker with an event loop: a queue a child."""


class Pool:
    """A pool whose children change by one step each time somebody looks."""

    def __init__(self, *children: tuple[int, ...]) -> None:
        self.steps = list(children)

    @property
    def _pool(self):
        pids = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        return [SimpleNamespace(pid=pid) for pid in pids]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(worker_guard, "POLL_S", 0)
    monkeypatch.setattr(worker_guard, "SETTLE_S", 0)


def test_a_replaced_child_ends_the_worker():
    ended = []

    worker_guard.end_when_replaced(Pool((7,), (7,), (), (8,)), ended.append)

    assert ended == [worker_guard.EX_TEMPFAIL]


def test_a_pool_with_a_queue_a_child_needs_no_guard():
    task_pool = SimpleNamespace(Pool=AsyncPool, _pool=AsyncPool())

    assert worker_guard.guard(task_pool) is None


def test_a_shared_pool_is_guarded_from_the_start(monkeypatch):
    watched = []
    monkeypatch.setattr(worker_guard, "end_when_replaced", watched.append)
    pool = Pool((7,))

    thread = worker_guard.guard(SimpleNamespace(Pool=AsyncPool, _pool=pool))

    thread.join()
    assert watched == [pool]
