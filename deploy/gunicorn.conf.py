"""gunicorn: processes sized to cores, each with an audit chain of its own.

The code and the gates are loaded once, before the workers are forked: they share that
memory, all start at once, and one that was killed is replaced in a moment. Nothing that
holds a connection, a file position or a thread may be made before the fork.

`sync` workers did best on two cores (docs/adr/0004): every wait on another thread
queues for the interpreter lock behind whoever computes. Idle client connections belong
to a proxy in front.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from pathlib import Path

bind = os.environ.get("PE_BIND", "127.0.0.1:8000")
workers = int(os.environ.get("PE_WEB_WORKERS", str(2 * (os.cpu_count() or 1))))
# A reply that a model writes holds its worker; threads let one hold several, at the
# price of slower short requests (docs/adr/0004, 0013).
threads = int(os.environ.get("PE_WEB_THREADS", "1"))
worker_class = "gthread" if threads > 1 else "sync"
preload_app = True
# A streamed reply holds its worker for as long as the model writes: its deadline, then
# one last wait of at most 10 s for a remote model's piece, and the closing.
timeout = max(30, int(os.environ.get("PE_CHAT_DEADLINE_MS", "25000")) // 1000 + 15)
graceful_timeout = int(os.environ.get("PE_DRAIN_S", "20"))
backlog = 2048
control_socket_disable = True
errorlog = "-"
accesslog = None
wsgi_app = "pe_platform.wsgi:application"
# gunicorn's own lines would quote an exception's message and what a client sent.
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "pe_platform.logs.json_formatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"level": "INFO", "handlers": ["stderr"]},
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": ["stderr"], "propagate": False}
    },
}


def pre_fork(server, worker):
    """Give the worker the lowest slot no living worker holds, so chains are reused."""
    taken = {getattr(other, "pe_slot", None) for other in server.WORKERS.values()}
    worker.pe_slot = next(slot for slot in range(10_000) if slot not in taken)


def post_fork(server, worker):
    """A chain of its own, and no life beyond the arbiter's: it would keep the port."""
    from django.conf import settings

    from pe_platform.lifeline import end_with_parent

    end_with_parent()
    settings.PE_AUDIT_CHAIN = f"{settings.PE_AUDIT_CHAIN}-{worker.pe_slot}"


def child_exit(server, worker):
    """Let the metrics of a dead worker be merged and forgotten."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)


def on_starting(server):
    """Load the gates before there are workers; one that is missing ends the start,
    and so does a key that is missing or wrong."""
    from django.db import connections

    from apps.core.checks import refuse_to_start_without_keys
    from apps.safety.assembly import warm
    from pe_platform.logs import close_side_doors

    close_side_doors()
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
    refuse_to_start_without_keys()
    warm()
    connections.close_all()
    # What is shared stays shared: the collector would write to every page of it.
    gc.collect()
    gc.freeze()


def worker_exit(server, worker):
    """After the last request: unload models, then end without tearing libraries down.

    ONNX Runtime was loaded before the fork and waits, on a normal exit, for a thread
    that lives in the arbiter alone: each worker would stay until it is killed.
    """
    if os.getpid() == server.pid:
        # The arbiter calls this too, for a worker that was gone already.
        return
    from django.db import connections

    from apps.models_registry.serving import process_pool

    process_pool().drain(timeout_s=1.0)
    connections.close_all()
    logging.shutdown()
    ending = sys.exc_info()[1]
    os._exit(ending.code or 0 if isinstance(ending, SystemExit) else 1)


def post_worker_init(worker):
    """Load the models in production before the first request, not during it."""
    from apps.inference.warming import warm_serving

    warm_serving()
