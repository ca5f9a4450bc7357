"""One thread that asks judges nobody waits for; full means dropped, and counted.

The words never leave the process: a queue of the broker would keep them.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from django.db import close_old_connections

from apps.safety.judges.counting import JUDGE_DROPPED

logger = logging.getLogger(__name__)
MOST_WAITING = 64


class Background:
    """``submit`` never waits and never raises; ``wait`` is for shutting down."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._jobs: queue.Queue[Callable[[], None]] = queue.Queue(most_waiting)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, job: Callable[[], None]) -> None:
        # Started on first use, so in the process that serves and not in its parent.
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            JUDGE_DROPPED.inc()

    def wait(self) -> None:
        """Until what was submitted has been done."""
        self._jobs.join()

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            try:
                job()
            except Exception as error:  # noqa: BLE001 - an outermost entry point
                logger.error(
                    "A judge's job failed", extra={"code": type(error).__name__}
                )
            finally:
                close_old_connections()
                self._jobs.task_done()
