"""Rate, errors, duration and waiting time of Celery tasks, and where they are read.

Labels are task names, which are code, and the queues of settings. A worker serves its
metrics on PE_WORKER_METRICS_BIND (``/metrics`` with the token, ``/livez`` without), for
a worker has no web server of its own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from celery import signals
from django.conf import settings
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram

from pe_platform.gauges import exposition, is_token

logger = logging.getLogger(__name__)
SENT_AT_HEADER = "pe_sent_at"
OTHER = "other"

TASKS = Counter("pe_tasks_total", "Tasks ended.", ("task", "queue", "outcome"))
SECONDS = Histogram(
    "pe_task_seconds",
    "Duration of tasks, in seconds.",
    ("task", "queue"),
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200),
)
WAITED = Histogram(
    "pe_task_wait_seconds",
    "Time from sending a task to its start, in seconds.",
    ("queue",),
    buckets=(0.05, 0.1, 0.5, 1, 2.5, 5, 15, 60, 300, 1800),
)
_started: dict[str, float] = {}

StartResponse = Callable[[str, list[tuple[str, str]]], object]


@signals.before_task_publish.connect
def _stamp(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """Say when it was sent; one that is to wait (ETA, retry) says nothing."""
    if headers is not None and headers.get("eta") is None:
        headers.setdefault(SENT_AT_HEADER, time.time())


@signals.task_prerun.connect
def _begin(task_id: str, task: Any, **_: Any) -> None:
    _started[task_id] = time.perf_counter()
    sent_at = task.request.get(SENT_AT_HEADER)
    if isinstance(sent_at, int | float) and not task.request.get("redelivered"):
        # Two machines' clocks may differ by more than the wait.
        WAITED.labels(_queue_of(task)).observe(max(0.0, time.time() - sent_at))


@signals.task_postrun.connect
def _end(task_id: str, task: Any, state: str | None = None, **_: Any) -> None:
    started = _started.pop(task_id, None)
    queue = _queue_of(task)
    TASKS.labels(task.name, queue, (state or "lost").lower()).inc()
    if started is not None:
        SECONDS.labels(task.name, queue).observe(time.perf_counter() - started)


def _queue_of(task: Any) -> str:
    """The queue it came through; Any: Celery's task."""
    found = (task.request.delivery_info or {}).get("routing_key")
    return found if found in settings.PE_QUEUES else OTHER


class _Quiet(WSGIRequestHandler):
    """A probe every few seconds is no news."""

    def log_message(self, format: str, *args: Any) -> None:
        return


def application(
    environ: dict[str, Any], start_response: StartResponse
) -> Iterable[bytes]:
    """``/livez`` for anyone; ``/metrics`` with the token."""
    path = environ.get("PATH_INFO")
    if path == "/livez":
        status, kind, body = "200 OK", "application/json", b'{"status": "alive"}'
    elif path != "/metrics":
        status, kind, body = "404 Not Found", "text/plain", b"/livez or /metrics"
    elif is_token(environ.get("HTTP_AUTHORIZATION", "")):
        status, kind, body = "200 OK", CONTENT_TYPE_LATEST, exposition()
    else:
        status, kind, body = "401 Unauthorized", "text/plain", b"A token is required."
    start_response(status, [("Content-Type", kind)])
    return [body]


@signals.worker_ready.connect
def serve(**_: Any) -> None:
    """Serve in a thread once the pool's children are there, who must not inherit it."""
    if not settings.PE_WORKER_METRICS_BIND:
        return
    host, _colon, port = settings.PE_WORKER_METRICS_BIND.rpartition(":")
    server = make_server(host, int(port), application, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    logger.info("worker_metrics_served")
