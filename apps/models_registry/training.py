"""One training run, from claim to version: what the task and the command both call.

The heartbeat runs in a thread with its own database connection. When the lease is lost
the runner learns it from its next write; it is never allowed to finish.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from types import TracebackType

from django.conf import settings
from django.db import DatabaseError, connection

from apps.accounts.permissions import system_actor
from apps.core.actors import Actor
from apps.core.errors import PlatformError
from apps.datasets.selectors import frozen_version, iter_rows
from apps.models_registry import services
from apps.models_registry.artifacts import open_verified
from apps.models_registry.contracts import (
    DatasetRow,
    Lease,
    RowSource,
    TrainingJob,
    TrainingOutcome,
)
from apps.models_registry.errors import LeaseLost
from apps.models_registry.families import runner_named
from apps.models_registry.models import ModelVersion
from apps.models_registry.selectors import latest_checkpoint, run_by_id

logger = logging.getLogger(__name__)


def run_training(run_id: str) -> ModelVersion | None:
    """Claim and train; None when the run was not to be had, or was lost on the way.

    Raises what failed, after the run was closed with its code. Interrupted, the run is
    handed back and goes on from its last checkpoint elsewhere.
    """
    actor = system_actor("trainer")
    lease = services.claim_run(actor=actor, run_id=run_id, owner=_owner())
    if lease is None:
        return None
    try:
        with Heartbeat(actor, lease):
            outcome = _train(actor, lease)
        return services.complete_run(actor=actor, lease=lease, outcome=outcome)
    except LeaseLost:
        logger.warning("models_registry.lease_lost", extra={"run": run_id})
        return None
    except (KeyboardInterrupt, SystemExit):
        services.release_run(actor=actor, lease=lease)
        raise
    except PlatformError as error:
        services.fail_run(actor=actor, lease=lease, code=error.code)
        raise
    except Exception:  # outermost entry point: recorded, then raised
        services.fail_run(actor=actor, lease=lease, code="internal_error")
        raise


def _owner() -> str:
    return f"{socket.gethostname()[:80]}:{os.getpid()}"


def _train(actor: Actor, lease: Lease) -> TrainingOutcome:
    manifest = run_by_id(lease.run_id).manifest.document
    checkpoint = latest_checkpoint(lease.run_id)
    job = TrainingJob(
        manifest=manifest,
        datasets={
            part: _row_source(digest) for part, digest in manifest["datasets"].items()
        },
        device=manifest["compute"]["device"],
        resume=open_verified(checkpoint.artifact_id).content if checkpoint else None,
        open_artifact=open_verified,
    )
    return runner_named(manifest["runner"]["name"]).run(job, LeasedLog(actor, lease))


def _row_source(digest: str) -> RowSource:
    def rows() -> Iterator[DatasetRow]:
        return iter(iter_rows(frozen_version(digest)))

    return rows


class LeasedLog:
    """Where a runner writes, with the lease in every write."""

    def __init__(self, actor: Actor, lease: Lease) -> None:
        self.actor = actor
        self.lease = lease

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        services.record_metrics(
            actor=self.actor, lease=self.lease, step=step, values=values
        )

    def checkpoint(self, step: int, content: bytes) -> None:
        services.record_checkpoint(
            actor=self.actor, lease=self.lease, step=step, content=content
        )


class Heartbeat:
    """Keeps a lease for as long as the block runs."""

    def __init__(self, actor: Actor, lease: Lease) -> None:
        self.actor = actor
        self.lease = lease
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        try:
            while not self._stop.wait(settings.PE_TRAINING_HEARTBEAT_S):
                services.heartbeat_run(actor=self.actor, lease=self.lease)
        except (LeaseLost, DatabaseError):
            # The runner's own next write is refused, or fails, and says so.
            logger.warning(
                "models_registry.heartbeat_stopped", extra={"run": self.lease.run_id}
            )
        finally:
            connection.close()
