"""The Celery application. Tasks carry their sender and the request id in headers.

A task acts as the part of the platform that it is, with that part's permissions; the
sender is evidence, written into the audit entries of the task, never a permission.

Apps declare ``shared_task`` and never import this module; the queue of a task is set
where it is declared or by ``CELERY_TASK_ROUTES``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from celery import Celery, signals

from apps.core.checks import refuse_to_start_without_keys
from apps.core.context import (
    current_request_id,
    last_actor,
    new_request_id,
    request_context,
)
from pe_platform.logs import close_side_doors
from pe_platform.worker_guard import guard

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pe_platform.settings")

app = Celery("pe_platform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

REQUEST_ID_HEADER = "pe_request_id"
ACTOR_HEADER = "pe_actor"
_open_contexts: dict[str, Any] = {}


@signals.before_task_publish.connect
def _attach_sender(headers: dict[str, Any] | None = None, **_: Any) -> None:
    if headers is not None:
        headers.setdefault(REQUEST_ID_HEADER, current_request_id() or new_request_id())
        headers.setdefault(ACTOR_HEADER, last_actor())


@signals.task_prerun.connect
def _enter_request_context(task_id: str, task: Any, **_: Any) -> None:
    request_id = task.request.get(REQUEST_ID_HEADER) or new_request_id()
    context = request_context(request_id, task.request.get(ACTOR_HEADER))
    context.__enter__()
    _open_contexts[task_id] = context


@signals.task_postrun.connect
def _leave_request_context(task_id: str, **_: Any) -> None:
    context = _open_contexts.pop(task_id, None)
    if context is not None:
        context.__exit__(None, None, None)


@signals.worker_init.connect
def _refuse_without_keys(**_: Any) -> None:
    refuse_to_start_without_keys()


@signals.celeryd_init.connect
@signals.beat_init.connect
def _close_side_doors(**_: Any) -> None:
    close_side_doors()


@signals.worker_ready.connect
def _guard_pool(sender: Any, **_: Any) -> None:
    guard(sender.pool)


@signals.worker_process_shutdown.connect
def _unload_models(**_: Any) -> None:
    """The models of a pool child end with it."""
    from apps.models_registry.serving import process_pool

    process_pool().drain(timeout_s=1.0)


@app.on_after_configure.connect
def _make_spool(sender: Celery, **_: Any) -> None:
    """The filesystem transport expects its folders to exist."""
    options = sender.conf.broker_transport_options or {}
    for name in ("data_folder_in", "data_folder_out", "control_folder"):
        if name in options:
            Path(options[name]).mkdir(parents=True, exist_ok=True)
