"""Liveness, readiness and metrics: what probes and Prometheus ask.

``/livez`` says that the process answers. ``/startupz`` says that it has loaded what it
serves with, so that a slow start is not taken for a hung one. ``/readyz`` says whether
this process may be sent people's messages: database, broker, chain head and gates. None
tells an anonymous caller more than names and yes or no. ``/metrics`` needs a token.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError
from prometheus_client import CONTENT_TYPE_LATEST

from apps.audit.selectors import head_matches
from apps.core.errors import PlatformError
from apps.inference.warming import is_warm
from apps.safety.assembly import gates
from pe_platform.gauges import exposition, is_token, refresh

logger = logging.getLogger(__name__)
# How long one readiness answer serves, so that probes cost next to nothing (seconds).
READINESS_TTL_S = 1.0
BROKER_TIMEOUT_S = 2.0


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone()[0] == 1)


def _broker() -> bool:
    folder = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("data_folder_in")
    if folder:
        return Path(str(folder)).is_dir() and os.access(str(folder), os.W_OK)
    with current_app.connection_for_write(connect_timeout=BROKER_TIMEOUT_S) as broker:
        broker.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT_S)
    return True


def _gates() -> bool:
    # Building them raises when one is missing or its weights are not what was shipped.
    return bool(gates())


CHECKS: dict[str, Callable[[], bool]] = {
    "database": _database,
    "broker": _broker,
    "audit_chain": head_matches,
    "gates": _gates,
}


def readiness() -> dict[str, bool]:
    """Each check by name; one that raises is not ready."""
    return _readiness_at(int(time.monotonic() / READINESS_TTL_S))


@lru_cache(maxsize=1)
def _readiness_at(tick: int) -> dict[str, bool]:
    return {name: _holds(name, check) for name, check in CHECKS.items()}


def _holds(name: str, check: Callable[[], bool]) -> bool:
    # OSError covers refused connections; kombu's own errors vary by transport and
    # come as its recoverable set, or wrapped in its OperationalError.
    recoverable = current_app.connection_for_write().recoverable_connection_errors
    try:
        return check()
    except (DatabaseError, OSError, PlatformError, OperationalError, *recoverable):
        logger.warning("readiness_check_failed", extra={"reason_code": name})
        return False


@never_cache
@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "alive"})


@never_cache
@require_safe
def startupz(request: HttpRequest) -> JsonResponse:
    """200 once this process holds the gates and the models in production."""
    has_started = is_warm()
    body = {"status": "started" if has_started else "starting"}
    return JsonResponse(body, status=200 if has_started else 503)


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    found = readiness()
    is_ready = all(found.values())
    body = {"status": "ready" if is_ready else "not ready", "checks": found}
    return JsonResponse(body, status=200 if is_ready else 503)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text; needs ``Authorization: Bearer`` with PE_METRICS_TOKEN."""
    if not is_token(request.META.get("HTTP_AUTHORIZATION", "")):
        return HttpResponse("A metrics token is required.", status=401)
    refresh()
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)
