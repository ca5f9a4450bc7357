"""Joining concurrent calls: order, failures kept apart, deadlines, no lost caller."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from apps.models_registry.adapters.batching import Batcher
from apps.models_registry.adapters.deadlines import Watchdog
from apps.models_registry.errors import DeadlinePassed


class Doubling:
    """Doubles numbers, slowly; refuses 13."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.lock = threading.Lock()

    def __call__(self, items: list[int], deadline: float | None) -> list[int]:
        with self.lock:
            self.sizes.append(len(items))
            time.sleep(0.003)
        if 13 in items:
            raise ValueError("unlucky")
        return [2 * item for item in items]


def batcher(run, **more) -> Batcher[int, int]:
    return Batcher(run, **{"max_items": 8, "max_wait_s": 0.002, **more})


def test_concurrent_calls_share_runs_and_get_their_own_results():
    run = Doubling()
    joined = batcher(run)

    with ThreadPoolExecutor(12) as threads:
        calls = [[n, n + 1] for n in range(200, 500, 2)]
        found = list(threads.map(lambda items: joined.submit(items, None), calls))

    assert found == [[2 * n, 2 * (n + 1)] for n in range(200, 500, 2)]
    assert max(run.sizes) <= 8
    assert len(run.sizes) < 150


def test_a_lone_call_does_not_wait_for_company():
    run = Doubling()
    joined = batcher(run, max_wait_s=5.0)
    began = time.monotonic()

    assert [joined.submit([n], None) for n in range(3)] == [[0], [2], [4]]

    assert time.monotonic() - began < 2.0
    assert run.sizes == [1, 1, 1]


def test_more_items_than_fit_are_run_in_slices():
    run = Doubling()

    assert batcher(run).submit(range(20, 40), None) == list(range(40, 80, 2))
    assert run.sizes == [8, 8, 4]


def test_one_callers_failure_is_not_anothers():
    joined = batcher(Doubling())

    def call(number: int) -> object:
        try:
            return joined.submit([number], None)
        except ValueError as error:
            return str(error)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(call, [1, 13, 2, 3, 13, 4] * 10))

    assert found == [[2], "unlucky", [4], [6], "unlucky", [8]] * 10


def test_a_caller_does_not_wait_beyond_its_deadline_and_others_are_served():
    entered, go = threading.Event(), threading.Event()

    def run(items: list[int], deadline: float | None) -> list[int]:
        entered.set()
        go.wait(10)
        return items

    joined = batcher(run)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(joined.submit, [1], None)
        entered.wait(10)
        with pytest.raises(DeadlinePassed):
            joined.submit([2], time.monotonic() + 0.05)
        third = threads.submit(joined.submit, [3], None)
        go.set()

        assert first.result(10) == [1]
        assert third.result(10) == [3]


def test_the_watchdog_calls_only_what_is_late():
    watchdog, called = Watchdog(), []
    late = threading.Event()
    now = time.monotonic()

    with watchdog.stopping(lambda: called.append("far"), now + 60):
        with watchdog.stopping(lambda: called.append("left"), now + 0.05):
            pass
        with watchdog.stopping(late.set, now + 0.1):
            assert late.wait(10)
        with watchdog.stopping(lambda: called.append("never"), None):
            pass

    assert called == []
