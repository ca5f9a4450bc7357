"""What a training worker writes. Every write names its token and is refused without it.

A worker that was thought dead and is not (a ghost) holds an old token: it can neither
log, nor checkpoint, nor finish a run that another has taken over.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from apps.accounts.permissions import require
from apps.core.actors import Actor
from apps.models_registry.artifacts import store_artifact
from apps.models_registry.contracts import Lease, TrainingOutcome
from apps.models_registry.errors import LeaseLost
from apps.models_registry.models import (
    Artifact,
    Checkpoint,
    MetricPoint,
    ModelVersion,
    RegisteredModel,
    TrainingRun,
)
from apps.models_registry.selectors import run_by_id
from apps.models_registry.services.runs import record_run_event
from apps.models_registry.services.states import record_version_event

State = TrainingRun.State
RUN = "models_registry.run_trainingrun"


def lease_end(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.PE_TRAINING_LEASE_S)


@transaction.atomic
def claim_run(*, actor: Actor, run_id: str, owner: str) -> Lease | None:
    """The lease of a run that waits or whose worker is gone; None if it is not to be
    had. A run that was claimed too often fails instead."""
    require(actor, RUN)
    now = timezone.now()
    run_by_id(run_id)
    free = Q(state=State.QUEUED) | Q(state=State.RUNNING, lease_expires_at__lt=now)
    claimed = TrainingRun.objects.filter(
        free, pk=run_id, attempts__lt=settings.PE_TRAINING_ATTEMPTS
    ).update(
        state=State.RUNNING,
        lease_owner=owner,
        fencing_token=F("fencing_token") + 1,
        attempts=F("attempts") + 1,
        lease_expires_at=lease_end(now),
        heartbeat_at=now,
    )
    if claimed != 1:
        _give_up(actor, run_id, free)
        return None
    run = run_by_id(run_id)
    record_run_event(
        actor, "run_claimed", run, {"owner": owner, "attempt": run.attempts}
    )
    return Lease(run_id=run_id, token=run.fencing_token, owner=owner)


def _give_up(actor: Actor, run_id: str, free: Q) -> None:
    exhausted = TrainingRun.objects.filter(
        free, pk=run_id, attempts__gte=settings.PE_TRAINING_ATTEMPTS
    ).update(**_closed(State.FAILED), failure_code="attempts_exhausted")
    if exhausted:
        record_run_event(
            actor, "run_failed", run_by_id(run_id), {"code": "attempts_exhausted"}
        )


def _closed(state: State) -> dict[str, object]:
    return {
        "state": state,
        "lease_owner": "",
        "lease_expires_at": None,
        "finished_at": timezone.now(),
    }


def _write(lease: Lease, **values: object) -> None:
    """One conditional update; LeaseLost when the token is not the run's any more."""
    held = TrainingRun.objects.filter(
        pk=lease.run_id, state=State.RUNNING, fencing_token=lease.token
    )
    if held.update(**values) != 1:
        raise LeaseLost(f"Run {lease.run_id} is not held with token {lease.token}.")


def heartbeat_run(*, actor: Actor, lease: Lease) -> None:
    """Keep the lease; LeaseLost when it is gone."""
    require(actor, RUN)
    now = timezone.now()
    _write(lease, heartbeat_at=now, lease_expires_at=lease_end(now))


@transaction.atomic
def record_metrics(
    *, actor: Actor, lease: Lease, step: int, values: Mapping[str, float]
) -> None:
    """Metrics of a step. A resumed run writes the same numbers over the first ones."""
    require(actor, RUN)
    _write(lease, step=step)
    MetricPoint.objects.bulk_create(
        [
            MetricPoint(run_id=lease.run_id, step=step, name=name, value=value)
            for name, value in values.items()
        ],
        update_conflicts=True,
        unique_fields=["run", "step", "name"],
        update_fields=["value"],
    )


def record_checkpoint(
    *, actor: Actor, lease: Lease, step: int, content: bytes
) -> Checkpoint:
    """A checkpoint to resume from; its bytes are stored before its row."""
    require(actor, RUN)
    artifact = store_artifact([content], Artifact.Kind.CHECKPOINT)
    with transaction.atomic():
        now = timezone.now()
        _write(lease, step=step, heartbeat_at=now, lease_expires_at=lease_end(now))
        checkpoint, _ = Checkpoint.objects.update_or_create(
            run_id=UUID(lease.run_id), step=step, defaults={"artifact": artifact}
        )
    return checkpoint


def complete_run(
    *, actor: Actor, lease: Lease, outcome: TrainingOutcome
) -> ModelVersion:
    """Close the run with its artifacts as a new draft version, all or nothing."""
    require(actor, RUN)
    require(actor, "models_registry.add_modelversion")
    stored = {
        name: store_artifact([made.content], made.kind).digest
        for name, made in outcome.artifacts.items()
    }
    with transaction.atomic():
        _write(lease, **_closed(State.SUCCEEDED), step=outcome.last_step)
        run = run_by_id(lease.run_id)
        version = _add_version(run, outcome, stored)
        record_run_event(actor, "run_succeeded", run, {"version": str(version.pk)})
        record_version_event(actor, "version_created", version, {"artifacts": stored})
    return version


def _add_version(
    run: TrainingRun, outcome: TrainingOutcome, artifacts: dict[str, str]
) -> ModelVersion:
    model = RegisteredModel.objects.select_for_update().get(pk=run.manifest.model_id)
    last = model.versions.aggregate(last=Max("number"))["last"] or 0
    return ModelVersion.objects.create(
        model=model,
        number=last + 1,
        run=run,
        adapter=outcome.adapter,
        artifacts=artifacts,
        signature=dict(outcome.signature),
        card=outcome.summary,
        author=run.requested_by,
    )


@transaction.atomic
def fail_run(*, actor: Actor, lease: Lease, code: str) -> None:
    """Close the run as failed; ``code`` is an error code, never text from the data."""
    require(actor, RUN)
    _write(lease, **_closed(State.FAILED), failure_code=code)
    record_run_event(actor, "run_failed", run_by_id(lease.run_id), {"code": code})


@transaction.atomic
def release_run(*, actor: Actor, lease: Lease) -> None:
    """Hand a run back on shutdown, so that it need not wait for its lease to end.

    Back in the queue as if sent long ago: the next sweep sends its message again.
    """
    require(actor, RUN)
    _write(
        lease,
        state=State.QUEUED,
        lease_owner="",
        lease_expires_at=None,
        attempts=F("attempts") - 1,
        queued_at=timezone.now() - timedelta(days=1),
    )
    record_run_event(actor, "run_released", run_by_id(lease.run_id))
