"""Which processes one machine runs, and with what."""

from __future__ import annotations

import sys
from pathlib import Path

from pe_platform.launch.processes import ProcessSpec

# One worker a queue group: a crisis never waits behind a training run.
WORKER_GROUPS = {
    "fast": ("escalation", "inference"),
    "steady": ("batch", "maintenance"),
    "training": ("training", "evaluation"),
}


def process_plan(base_dir: Path, state_dir: Path) -> tuple[ProcessSpec, ...]:
    """Web, one worker a queue group, and beat."""
    return (
        ProcessSpec(
            "web",
            (
                sys.executable, "-m", "gunicorn",
                "-c", str(base_dir / "deploy" / "gunicorn.conf.py"),
            ),
            (
                ("PE_AUDIT_CHAIN", "web"),
                ("PE_SERVICE", "web"),
                ("PROMETHEUS_MULTIPROC_DIR", str(state_dir / "metrics")),
            ),
        ),
        *(_worker(name, queues) for name, queues in WORKER_GROUPS.items()),
        ProcessSpec(
            "beat",
            (
                sys.executable, "-m", "celery", "-A", "pe_platform.celery", "beat",
                "--loglevel", "INFO", "--pidfile=",
            ),
            (("PE_SERVICE", "beat"), ("PE_AUDIT_CHAIN", "beat")),
        ),
    )  # fmt: skip


def _worker(name: str, queues: tuple[str, ...]) -> ProcessSpec:
    return ProcessSpec(
        f"worker-{name}",
        (
            sys.executable, "-m", "celery", "-A", "pe_platform.celery", "worker",
            "--queues", ",".join(queues), "--concurrency", "1",
            "--hostname", f"{name}@%h", "--loglevel", "INFO",
            "--without-gossip", "--without-mingle",
        ),
        (
            ("PE_SERVICE", f"worker-{name}"),
            ("PE_AUDIT_CHAIN", f"worker-{name}"),
            # SIGTERM gives tasks CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT to finish, then
            # interrupts them; left alone it would wait for a training run to its end.
            ("REMAP_SIGTERM", "SIGQUIT"),
        ),
    )  # fmt: skip


def command_spec(base_dir: Path, name: str, *arguments: str) -> ProcessSpec:
    """A management command with an audit chain of its own."""
    command = (sys.executable, str(base_dir / "manage.py"), name, *arguments)
    return ProcessSpec(name, command, (("PE_SERVICE", name), ("PE_AUDIT_CHAIN", name)))
