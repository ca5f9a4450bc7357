"""Manifests and runs: what staff ask for, and the sweep that finds what was lost."""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import current_app
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from kombu.exceptions import OperationalError

from apps.accounts.permissions import acting_user, require
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.digests import digest_json
from apps.core.errors import NotFound, StateConflict
from apps.models_registry.errors import ManifestInvalid
from apps.models_registry.manifests import check_manifest
from apps.models_registry.models import ManifestDataset, TrainingManifest, TrainingRun
from apps.models_registry.selectors import (
    as_uuid,
    lost_runs,
    model_named,
    run_by_id,
)

logger = logging.getLogger(__name__)
RUN_LABEL = "models_registry.trainingrun"
TRAINING_TASK = "models_registry.run_training"
# A run still queued this long after its message was sent is sent again.
RESEND_AFTER = timedelta(seconds=120)
State = TrainingRun.State


def create_manifest(*, actor: Actor, document: object) -> TrainingManifest:
    """The manifest of this document; the one that is there when it is known already.

    Raises ManifestInvalid with every problem, DatasetNotFrozen for an unknown or
    unfrozen dataset version.
    """
    require(actor, "models_registry.add_trainingmanifest")
    checked = check_manifest(document)
    digest = digest_json(checked)
    try:
        model = model_named(checked["model"])
    except NotFound as error:
        raise ManifestInvalid(f"model: {error.message}") from error
    known = TrainingManifest.objects.filter(digest=digest).first()
    if known is not None:
        return known
    try:
        with transaction.atomic():
            manifest = TrainingManifest.objects.create(
                model=model,
                document=dict(checked),
                digest=digest,
                author=acting_user(actor),
            )
            ManifestDataset.objects.bulk_create(
                ManifestDataset(manifest=manifest, part=part, dataset_digest=named)
                for part, named in checked["datasets"].items()
            )
            record_event(
                actor=actor,
                event="models_registry.manifest_created",
                subject=Subject(
                    "models_registry.trainingmanifest", str(manifest.pk), digest
                ),
                details={"model": model.name, "datasets": dict(checked["datasets"])},
            )
    except IntegrityError:
        return TrainingManifest.objects.get(digest=digest)
    return manifest


@transaction.atomic
def queue_run(*, actor: Actor, manifest_id: str) -> TrainingRun:
    """A run of a manifest, sent to the training queue once this commits.

    The manifest is checked anew: a dataset may have been retired since.
    """
    require(actor, "models_registry.queue_trainingrun")
    manifest = TrainingManifest.objects.filter(pk=as_uuid(manifest_id)).first()
    if manifest is None:
        raise NotFound(f"There is no training manifest {manifest_id}.")
    check_manifest(manifest.document)
    run = TrainingRun.objects.create(
        manifest=manifest, requested_by=acting_user(actor), queued_at=timezone.now()
    )
    record_run_event(actor, "run_queued", run, {"manifest": manifest.digest})
    _send_after_commit(run)
    return run


@transaction.atomic
def cancel_run(*, actor: Actor, run_id: str) -> TrainingRun:
    """Stop a run. Its worker finds out at its next write, which is refused."""
    require(actor, "models_registry.cancel_trainingrun")
    run = run_by_id(run_id)
    moved = TrainingRun.objects.filter(
        pk=run_id, state__in=[state.value for state in TrainingRun.OPEN_STATES]
    ).update(
        state=State.CANCELLED,
        fencing_token=F("fencing_token") + 1,
        lease_owner="",
        lease_expires_at=None,
        finished_at=timezone.now(),
    )
    if moved != 1:
        raise StateConflict(f"The run is {run.state} already.")
    record_run_event(actor, "run_cancelled", run)
    run.refresh_from_db()
    return run


def requeue_lost_runs(*, actor: Actor) -> list[str]:
    """Put runs back whose worker is gone, resend messages that were; ids, both."""
    require(actor, "models_registry.run_trainingrun")
    lost = [str(pk) for pk in lost_runs().values_list("pk", flat=True)]
    return [run_id for run_id in lost if _requeue(actor, run_id)] + _resend()


@transaction.atomic
def _requeue(actor: Actor, run_id: str) -> bool:
    now = timezone.now()
    moved = (
        lost_runs(now)
        .filter(pk=run_id)
        .update(
            state=State.QUEUED,
            fencing_token=F("fencing_token") + 1,
            lease_owner="",
            lease_expires_at=None,
            queued_at=now,
        )
    )
    if moved != 1:
        return False
    run = run_by_id(run_id)
    record_run_event(actor, "run_requeued", run, {"step": run.step})
    _send_after_commit(run)
    return True


def _resend() -> list[str]:
    """Queued for long: the message may be lost. Claiming twice is refused anyway."""
    now = timezone.now()
    resent = []
    waiting = TrainingRun.objects.filter(
        state=State.QUEUED, queued_at__lt=now - RESEND_AFTER
    )
    for run in waiting:
        still = TrainingRun.objects.filter(
            pk=run.pk, state=State.QUEUED, queued_at=run.queued_at
        )
        if still.update(queued_at=now) == 1:
            _send(str(run.pk))
            resent.append(str(run.pk))
    return resent


def _send_after_commit(run: TrainingRun) -> None:
    run_id = str(run.pk)
    transaction.on_commit(lambda: _send(run_id))


def _send(run_id: str) -> None:
    try:
        current_app.send_task(TRAINING_TASK, args=[run_id], queue="training")
    except (OperationalError, OSError):
        # The row is the truth: the sweep sends it again.
        logger.warning("models_registry.run_not_sent", extra={"run": run_id})


def record_run_event(
    actor: Actor, event: str, run: TrainingRun, details: dict[str, object] | None = None
) -> None:
    record_event(
        actor=actor,
        event=f"models_registry.{event}",
        subject=Subject(RUN_LABEL, str(run.pk)),
        details=details or {},
    )
