"""Ends a Celery worker whose pool can no longer be trusted to take tasks.

On a broker without an event loop (the filesystem one) the pool's children share one
lock around their queue, and an idle child waits inside it. Killed there, it takes the
lock with it: its replacement waits for ever while the worker looks alive. Ending the
worker lets whoever watches it start a sound one; what was under way is recovered from
the database, as after any death.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any

logger = logging.getLogger(__name__)
POLL_S = 1.0
# Long enough for Celery to give back the task that the dead child had (seconds).
SETTLE_S = 2.0
EX_TEMPFAIL = 75


def guard(task_pool: Any) -> threading.Thread | None:
    """Watch a worker's pool; None where children share no lock. Any: Celery's."""
    pool = getattr(task_pool, "_pool", None)
    if pool is None or isinstance(pool, task_pool.Pool):
        return None
    thread = threading.Thread(target=end_when_replaced, args=(pool,), daemon=True)
    thread.start()
    return thread


def end_when_replaced(pool: Any, end: Callable[[int], object] = os._exit) -> None:
    """Call ``end`` once a child has been replaced; we never ask for that ourselves."""
    first = _pids(pool)
    while not _pids(pool) - first:
        time.sleep(POLL_S)
    logger.error("worker_pool_child_lost")
    time.sleep(SETTLE_S)
    end(EX_TEMPFAIL)


def _pids(pool: Any) -> set[int]:
    return {process.pid for process in list(pool._pool)}
