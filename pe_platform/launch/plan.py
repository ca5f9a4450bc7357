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
        (("PE_SERVICE", f"worker-{name}"), ("PE_AUDIT_CHAIN", f"worker-{name}")),
    )  # fmt: skip
