"""What Prometheus is given: every process's counters, and gauges read when it asks.

The gauges are of the whole platform, not of a process: each instance reads the same
database and broker, so rules take their maximum. They are read at most once in a few
seconds, however many ask, and never by a request that serves somebody.
"""

from __future__ import annotations

import hmac
import logging
import os
import time
from collections.abc import Callable
from functools import lru_cache

from celery import current_app
from django.conf import settings
from django.db import DatabaseError
from kombu.exceptions import OperationalError
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Gauge,
    generate_latest,
    multiprocess,
)

from apps.audit import metrics as audit_metrics
from apps.core.errors import PlatformError
from apps.models_registry import metrics as registry_metrics
from apps.safety.metrics import refresh_gauges as refresh_crisis_desk

logger = logging.getLogger(__name__)
# How long one reading serves (seconds), and how long the broker may take to answer.
READING_TTL_S = 5.0
BROKER_TIMEOUT_S = 2.0

MESSAGES = Gauge(
    "pe_queue_messages",
    "Messages that wait in a queue.",
    ("queue",),
    multiprocess_mode="mostrecent",
)
BROKER_UP = Gauge(
    "pe_broker_up", "1 when the broker answered.", multiprocess_mode="mostrecent"
)
DATABASE_UP = Gauge(
    "pe_database_up", "1 when the database answered.", multiprocess_mode="mostrecent"
)
READ_AT = Gauge(
    "pe_gauges_timestamp_seconds",
    "When the gauges of database and broker were last read.",
    multiprocess_mode="mostrecent",
)
BUILD = Gauge(
    "pe_build_info",
    "1, with the version and revision that runs.",
    ("version", "revision"),
    multiprocess_mode="mostrecent",
)


def is_token(header: str) -> bool:
    """Whether an Authorization header carries PE_METRICS_TOKEN; never without one."""
    token = settings.PE_METRICS_TOKEN
    offered = header.removeprefix("Bearer ")
    return bool(token) and hmac.compare_digest(offered.encode(), token.encode())


def exposition() -> bytes:
    """Prometheus text: of all processes of this instance where they share a folder."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def refresh() -> None:
    """Read the gauges, unless this process has just done so."""
    _refresh_at(int(time.monotonic() / READING_TTL_S))


@lru_cache(maxsize=1)
def _refresh_at(tick: int) -> None:
    BUILD.labels(settings.PE_VERSION, settings.PE_CODE_REVISION[:12]).set(1)
    refresh_crisis_desk()
    DATABASE_UP.set(
        all([_read(audit_metrics.refresh), _read(registry_metrics.refresh)])
    )
    BROKER_UP.set(_read(_refresh_queues))
    READ_AT.set_to_current_time()


def _read(part: Callable[[], None]) -> bool:
    """Whether a part could be read; what cannot be keeps its last value."""
    recoverable = current_app.connection_for_read().recoverable_connection_errors
    try:
        part()
    except (DatabaseError, OSError, PlatformError, OperationalError, *recoverable):
        logger.warning("gauges_not_read", extra={"reason_code": part.__module__})
        return False
    return True


def _refresh_queues() -> None:
    """Ask the broker for each queue's length; a queue nobody declared has none."""
    with current_app.connection_for_read(connect_timeout=BROKER_TIMEOUT_S) as broker:
        broker.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT_S)
        for queue in settings.PE_QUEUES:
            channel = broker.channel()
            try:
                asked = channel.queue_declare(queue=queue, passive=True)
                MESSAGES.labels(queue).set(asked.message_count)
            except broker.channel_errors:
                # RabbitMQ closes a channel that asks for a queue it does not know.
                MESSAGES.labels(queue).set(0)
                continue
            channel.close()
