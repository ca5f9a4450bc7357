"""Accepting a batch: lines are sealed and stored as they come, then the job starts.

Rows are written in short transactions, so that a long upload holds no lock. Until the
last line is stored nothing runs and nothing was promised; what a broken upload leaves
behind is swept away.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from celery import current_app
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from apps.accounts.contracts import KeyFacts
from apps.accounts.permissions import actor_for_key, require
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.inference.batches.reading import Line, read_lines
from apps.inference.errors import (
    IdempotencyInProgress,
    IdempotencyKeyReused,
    InvalidBody,
    InvalidField,
)
from apps.inference.models import BatchItem, BatchJob
from apps.inference.parsing import Limits
from apps.inference.sealing import seal, subject_of
from apps.safety.services import text_digest

logger = logging.getLogger(__name__)
TASK = "inference.run_batch"
LABEL = "inference.batchjob"
ROWS_A_WRITE = 500
# How many workers may share one batch, and from how many lines on another one helps.
MOST_CHAINS = 4
LINES_A_CHAIN = 500
PROBLEMS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Submission:
    """What a caller asks for; ``pieces`` are the unfolded bytes of the body."""

    model_name: str
    pieces: Iterable[bytes]
    limits: Limits
    idempotency_key: str = ""


class _Hashed:
    """Passes pieces on and knows the digest of those that went by."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self._state = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._state.update(piece)
            yield piece

    def digest(self) -> str:
        """Keyed, since short texts could be guessed from a bare hash."""
        return text_digest(self._state.hexdigest())


def submit_batch(*, caller: KeyFacts, asked: Submission) -> BatchJob:
    """The accepted job, the first one when an Idempotency-Key is repeated.

    Raises NotPermitted, InvalidBody without a line that can be read, BatchTooLarge,
    BodyTooLarge, IdempotencyKeyReused, IdempotencyInProgress. Nothing is left of a
    batch that was refused.
    """
    actor = actor_for_key(caller)
    require(actor, "inference.add_batchjob")
    pieces = _Hashed(asked.pieces)
    job = _new_job(caller, asked)
    try:
        with transaction.atomic():
            job.save(force_insert=True)
    except IntegrityError:
        return _earlier(caller, asked, pieces)
    try:
        size = _store(job, read_lines(pieces, asked.limits))
        _start(actor, job, size, pieces.digest())
    except BaseException:
        discard(job)
        raise
    return job


def _new_job(caller: KeyFacts, asked: Submission) -> BatchJob:
    now = timezone.now()
    return BatchJob(
        created_at=now,
        touched_at=now,
        expires_at=now + timedelta(hours=settings.PE_BATCH_RESULT_HOURS),
        api_key_id=caller.id,
        key_family_id=caller.family_id,
        api_key_label=f"{caller.label} ({caller.prefix})",
        model_name=asked.model_name,
        idempotency_key=asked.idempotency_key,
    )


def _earlier(caller: KeyFacts, asked: Submission, pieces: _Hashed) -> BatchJob:
    job = BatchJob.objects.get(
        key_family_id=caller.family_id, idempotency_key=asked.idempotency_key
    )
    if job.state == BatchJob.State.RECEIVING:
        raise IdempotencyInProgress(
            "The first upload with this Idempotency-Key has not ended.",
            extra={"retry_after_s": 5},
        )
    for _ in pieces:
        continue
    same = (pieces.digest(), asked.model_name) == (job.input_digest, job.model_name)
    if not same:
        raise IdempotencyKeyReused(
            "This Idempotency-Key was used with another batch. Use a new key."
        )
    return job


def _store(job: BatchJob, lines: Iterator[Line]) -> int:
    """How many lines were stored; InvalidBody when there is none that can be read."""
    size, readable = 0, 0
    problems: list[dict[str, object]] = []
    while chunk := list(itertools.islice(lines, ROWS_A_WRITE)):
        BatchItem.objects.bulk_create([_item(job, line) for line in chunk])
        size += len(chunk)
        readable += sum(line.problem is None for line in chunk)
        problems += [
            {"line": line.position, "detail": line.problem.message}
            for line in chunk
            if line.problem and len(problems) < PROBLEMS_SHOWN
        ]
    if not size:
        raise InvalidBody("The body has no line. Send one JSON object a line.")
    if not readable:
        raise InvalidField(
            "No line can be read.", extra={"lines": problems[:PROBLEMS_SHOWN]}
        )
    return size


def _item(job: BatchJob, line: Line) -> BatchItem:
    item = BatchItem(
        id=uuid.uuid5(job.pk, str(line.position)),
        job=job,
        position=line.position,
        custom_id=line.custom_id,
    )
    if line.words is not None:
        item.subject = subject_of(job.key_family_id, line.participant_ref)
        item.sealed = seal(line.words, item.pk, item.subject)
    if line.problem is not None:
        item.state = BatchItem.State.REFUSED
        item.status_code = line.problem.status
        item.problem_code = line.problem.code
        item.detail = line.problem.message[:300]
    return item


def _start(actor: Actor, job: BatchJob, size: int, digest: str) -> None:
    job.state, job.size, job.input_digest = BatchJob.State.RUNNING, size, digest
    with transaction.atomic():
        job.save(update_fields=["state", "size", "input_digest"])
        record_batch(actor, "batch_submitted", job, {"size": size})
        chains = min(MOST_CHAINS, 1 + size // LINES_A_CHAIN)
        transaction.on_commit(lambda: send(str(job.pk), chains))


def discard(job: BatchJob) -> None:
    """Take back a batch that was never accepted."""
    with transaction.atomic():
        job.items.all().delete()
        BatchJob.objects.filter(pk=job.pk, state=BatchJob.State.RECEIVING).delete()


def send(job_id: str, chains: int = 1) -> None:
    """Ask the queue for workers; a message that is lost is sent again by the sweep."""
    try:
        for _ in range(chains):
            current_app.send_task(TASK, args=[job_id], queue="batch")
    except (OperationalError, OSError):
        logger.warning("inference.batch_not_sent", extra={"subject_id": job_id})


def record_batch(
    actor: Actor, event: str, job: BatchJob, details: dict[str, object]
) -> None:
    """An audit entry about a job; call it in the transaction of what it describes."""
    record_event(
        actor=actor,
        event=f"inference.{event}",
        subject=Subject(LABEL, str(job.pk), job.input_digest),
        details={"model": job.model_name, **details},
    )
