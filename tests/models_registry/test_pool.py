"""The pool under threads: an alias moves, memory runs short, the process ends."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from apps.core.errors import Unavailable
from apps.models_registry.adapters.pool import AdapterPool
from apps.models_registry.contracts import TextRequest
from apps.models_registry.errors import ArtifactDamaged, PredictionFailed
from tests.models_registry.test_adapters import Fake

THREADS, CALLS = 6, 150


class Honest(Fake):
    """Fails when it is asked after it was unloaded, as a real one does."""

    def __init__(self, digest: str, made: list) -> None:
        super().__init__()
        self.digest = digest
        made.append(self)

    def _predict(self, batch):
        if self.unloaded:
            raise Unavailable("unloaded")
        time.sleep(0.0005)
        return [self.digest] * len(batch)


def test_an_alias_that_moves_drops_no_request():
    """Versions change under callers, and the pool holds only two at a time."""
    pool, made, alias = AdapterPool(max_bytes=20), [], ["v0"]

    def call(number: int) -> tuple[str, str]:
        if number % 50 == 0:
            alias[0] = f"v{number}"
        digest = alias[0]
        with pool.use(digest, lambda: Honest(digest, made)) as adapter:
            return digest, adapter.predict([TextRequest("x")])[0]

    with ThreadPoolExecutor(THREADS) as threads:
        found = list(threads.map(call, range(THREADS * CALLS)))

    assert all(asked == answered for asked, answered in found)
    assert len({asked for asked, _ in found}) > 10
    living = [adapter for adapter in made if not adapter.unloaded]
    assert {adapter.digest for adapter in living} == set(pool.loaded_digests())
    assert len(living) <= 2
    assert all(adapter.unloaded <= 1 for adapter in made)


def test_memory_is_kept_while_threads_want_more_than_fits():
    pool, made = AdapterPool(max_bytes=30), []

    def call(number: int) -> str:
        digest = f"m{number % 7}"
        with pool.use(digest, lambda: Honest(digest, made)) as adapter:
            return adapter.predict([TextRequest("x")])[0]

    with ThreadPoolExecutor(THREADS) as threads:
        found = list(threads.map(call, range(THREADS * CALLS)))

    assert found == [f"m{number % 7}" for number in range(THREADS * CALLS)]
    assert sum(a.memory_bytes for a in made if not a.unloaded) <= 30


def test_draining_waits_for_users_and_takes_no_more():
    pool, made, inside, go = AdapterPool(100), [], threading.Event(), threading.Event()
    answers: list[str] = []

    def hold() -> None:
        with pool.use("v", lambda: Honest("v", made)) as adapter:
            inside.set()
            go.wait(10)
            answers.extend(adapter.predict([TextRequest("x")]))

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(10)
    drained: list[bool] = []
    drain = threading.Thread(target=lambda: drained.append(pool.drain(10)))
    drain.start()
    while not pool._is_drained:
        time.sleep(0.001)

    with pytest.raises(Unavailable), pool.use("w", lambda: Honest("w", made)):
        pass
    assert made[0].unloaded == 0
    go.set()
    thread.join()
    drain.join()

    assert drained == [True]
    assert answers == ["v"]
    assert made[0].unloaded == 1


def test_draining_ends_what_does_not_finish():
    pool, made = AdapterPool(100), []

    with pool.use("v", lambda: Honest("v", made)) as adapter:
        assert pool.drain(0.01) is False
        with pytest.raises(PredictionFailed):
            adapter.predict([TextRequest("x")])

    assert made[0].unloaded == 1
    assert pool.loaded_digests() == ()


def test_a_thread_that_waited_for_a_failed_loading_leaves_nothing_behind():
    pool, made, loading, go = AdapterPool(100), [], threading.Event(), threading.Event()

    def fail():
        loading.set()
        go.wait(10)
        raise ArtifactDamaged("gone")

    def first() -> None:
        with pytest.raises(ArtifactDamaged), pool.use("v", fail):
            pass

    def second() -> None:
        with pool.use("v", lambda: Honest("v", made)):
            pass

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    loading.wait(10)
    threads[1].start()
    while pool._entries["v"].users < 2:
        time.sleep(0.001)
    go.set()
    for thread in threads:
        thread.join()

    living = [adapter for adapter in made if not adapter.unloaded]
    assert len(living) == len(pool.loaded_digests())
