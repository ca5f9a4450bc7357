"""Cancelling batches, and the sweep: lost messages, dead workers, results past due."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from apps.accounts.contracts import KeyFacts
from apps.accounts.permissions import actor_for_key, require
from apps.core.actors import Actor
from apps.inference.batches.reporting import tally_of
from apps.inference.batches.submitting import discard, record_batch, send
from apps.inference.errors import BatchEnded
from apps.inference.models import BatchItem, BatchJob

State = BatchItem.State
# A running job of which no worker has spoken for this long gets another message.
SILENT_AFTER = timedelta(seconds=60)
UPLOAD_LASTS = timedelta(hours=1)
JOBS_A_SWEEP = 100


@transaction.atomic
def cancel_batch(*, caller: KeyFacts, job: BatchJob) -> BatchJob:
    """Take back what waits. A line that a worker has in hand is still answered.

    BatchEnded when the job has finished or was cancelled before.
    """
    actor = actor_for_key(caller)
    require(actor, "inference.cancel_batchjob")
    moved = BatchJob.objects.filter(pk=job.pk, state=BatchJob.State.RUNNING).update(
        state=BatchJob.State.CANCELLED, finished_at=timezone.now()
    )
    if moved != 1:
        job.refresh_from_db()
        raise BatchEnded(f"The batch is {job.state} already.")
    job.items.filter(state=State.WAITING).update(
        state=State.CANCELLED, sealed=None, not_before=None
    )
    job.refresh_from_db()
    record_batch(actor, "batch_cancelled", job, {"counts": tally_of(job).counts})
    return job


def sweep_batches(*, actor: Actor) -> None:
    """Send lost messages again and forget what is past its time; safe to run twice."""
    require(actor, "inference.run_batchjob")
    now = timezone.now()
    silent = BatchJob.objects.filter(
        state=BatchJob.State.RUNNING, touched_at__lt=now - SILENT_AFTER
    )
    for job in silent[:JOBS_A_SWEEP]:
        if silent.filter(pk=job.pk).update(touched_at=now):
            send(str(job.pk))
    BatchItem.objects.filter(
        job__state=BatchJob.State.CANCELLED,
        state__in=BatchItem.OPEN_STATES,
        not_before__lt=now,
    ).update(state=State.CANCELLED, claim=None, not_before=None, sealed=None)
    for job in BatchJob.objects.filter(
        state=BatchJob.State.RECEIVING, created_at__lt=now - UPLOAD_LASTS
    )[:JOBS_A_SWEEP]:
        discard(job)
    due = BatchJob.objects.filter(
        state__in=(BatchJob.State.FINISHED, BatchJob.State.CANCELLED),
        tally__isnull=True,
        expires_at__lt=now,
    )
    for job in due[:JOBS_A_SWEEP]:
        _purge(actor, job)


@transaction.atomic
def _purge(actor: Actor, job: BatchJob) -> None:
    """Forget the lines of a job; how many there were of each kind stays."""
    tally = tally_of(job)
    BatchJob.objects.filter(pk=job.pk).update(tally=asdict(tally))
    job.items.all().delete()
    record_batch(actor, "batch_purged", job, {"counts": tally.counts})
