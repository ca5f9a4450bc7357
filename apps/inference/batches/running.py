"""Answering a batch: lines are claimed, sent down the gated path, and stored as closed.

The outcome of a line is stored by the transaction that closes its request, fenced by
the claim: a line whose worker died is answered by another, and never twice. A worker
that is asked to stop hands its lines back.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from apps.accounts.contracts import KeyFacts
from apps.accounts.errors import InvalidKey
from apps.accounts.keys import usable_key_of
from apps.accounts.permissions import require
from apps.core.actors import Actor
from apps.core.errors import PlatformError
from apps.inference.batches.reporting import tally_of
from apps.inference.batches.submitting import record_batch
from apps.inference.contracts import ServingRequest
from apps.inference.errors import ItemLost
from apps.inference.models import BatchItem, BatchJob
from apps.inference.parsing import Limits, read_request
from apps.inference.parts import PlatformParts
from apps.inference.sealing import seal, unseal
from apps.inference.services import Outgoing
from apps.inference.serving import serve_request

State = BatchItem.State
LINES_A_CLAIM = 20
MOST_ATTEMPTS = 4
RETRY_AFTER_S = 5
OK, SERVER_ERROR = 200, 500
# Checked at submission; a tier made smaller since must not lose an accepted line.
NO_LIMITS = Limits(text_chars=2**31, context_chars=2**31)


@dataclass(frozen=True, slots=True)
class ItemClaim:
    """The right to store the outcome of one line."""

    item_id: uuid.UUID
    token: uuid.UUID
    subject: str = ""

    def rows(self) -> QuerySet[BatchItem]:
        return BatchItem.objects.filter(
            pk=self.item_id, claim=self.token, state=State.CLAIMED
        )

    def store(self, status: int, body: bytes, subject: str = "") -> None:
        """Called in the closing transaction; ItemLost undoes all of it."""
        stored = self.rows().update(
            state=State.DONE,
            status_code=status,
            decision=orjson.loads(body)["decision"],
            sealed=seal(body, self.item_id, subject or self.subject),
            claim=None,
            not_before=None,
        )
        if stored != 1:
            raise ItemLost("Another worker has taken over this line.")

    def release(self) -> None:
        """Nothing: what becomes of a line without an outcome is decided here."""


def run_batch(*, actor: Actor, job_id: str) -> bool:
    """Answer lines of a job for one turn; whether there may be more to claim now.

    Raises NotPermitted without ``inference.run_batchjob``. Safe to run anywhere, at any
    time, by several workers at once.
    """
    require(actor, "inference.run_batchjob")
    job = BatchJob.objects.filter(pk=job_id, state=BatchJob.State.RUNNING).first()
    if job is None:
        return False
    try:
        caller = usable_key_of(job.key_family_id)
    except InvalidKey as error:
        _refuse_open(job, error)
        _finish(actor, job)
        return False
    turn_ends = time.monotonic() + settings.PE_BATCH_TURN_S
    while time.monotonic() < turn_ends:
        with _claimed(job) as items:
            if not items:
                _finish(actor, job)
                return False
            _answer(caller, job, items)
    return True


@contextmanager
def _claimed(job: BatchJob) -> Iterator[Sequence[BatchItem]]:
    """Some lines for the length of the block; those not answered are handed back."""
    now, token = timezone.now(), uuid.uuid4()
    lease = now + timedelta(seconds=settings.PE_BATCH_LEASE_S)
    free = _free(job, now)
    first = free.order_by("position").values_list("pk", flat=True)
    wanted = list(first[:LINES_A_CLAIM])
    mine = BatchItem.objects.filter(claim=token)
    try:
        free.filter(pk__in=wanted).update(
            state=State.CLAIMED,
            claim=token,
            not_before=lease,
            attempts=F("attempts") + 1,
        )
        still = BatchJob.objects.filter(pk=job.pk, state=BatchJob.State.RUNNING)
        still.update(touched_at=now)
        yield list(mine.order_by("position"))
    finally:
        mine.update(
            state=State.WAITING, claim=None, not_before=None, attempts=F("attempts") - 1
        )


def _free(job: BatchJob, now: object) -> QuerySet[BatchItem]:
    """Lines that nobody has, or whose worker is gone.

    Conditions on the row alone, no join: an update then checks them again under lock.
    """
    return BatchItem.objects.filter(
        Q(not_before__isnull=True) | Q(not_before__lte=now),
        job=job,
        state__in=BatchItem.OPEN_STATES,
    )


def _answer(caller: KeyFacts, job: BatchJob, items: Sequence[BatchItem]) -> None:
    """Each line in turn, as long as the lease surely holds."""
    parts = PlatformParts(caller)
    room_s = settings.PE_INFERENCE_DEADLINE_MS / 1000
    lease_ends = time.monotonic() + settings.PE_BATCH_LEASE_S - room_s
    for number, item in enumerate(items):
        if number and time.monotonic() > lease_ends:
            return
        token = item.claim
        if token is None:
            continue
        claim = ItemClaim(item.pk, token, item.subject)
        if item.attempts > MOST_ATTEMPTS:
            # Workers died on it, again and again.
            _close(claim, State.FAILED, "attempts_exhausted", SERVER_ERROR)
            continue
        sent = serve_request(
            caller=caller, request=_request(job, item), parts=parts, claim=claim
        )
        if sent.status != OK:
            _put_back(claim, item, sent)


def _request(job: BatchJob, item: BatchItem) -> ServingRequest:
    """The same id for the same attempt: a case that is open already stays one case."""
    words = unseal(bytes(item.sealed or b""), item.pk)
    return read_request(
        orjson.loads(words),
        request_id=uuid.uuid5(item.pk, str(item.recorded)),
        model_name=job.model_name,
        limits=NO_LIMITS,
        deadline_ms=settings.PE_INFERENCE_DEADLINE_MS,
    )


def _put_back(claim: ItemClaim, item: BatchItem, sent: Outgoing) -> None:
    """Try again later what may pass; close what will not, or was tried enough."""
    code = str(orjson.loads(sent.body).get("code", ""))
    if sent.status < SERVER_ERROR:
        _close(claim, State.REFUSED, code, sent.status, sent.body)
    elif item.attempts >= MOST_ATTEMPTS:
        _close(claim, State.FAILED, code, sent.status, sent.body)
    else:
        claim.rows().update(
            state=State.WAITING,
            claim=None,
            recorded=F("recorded") + 1,
            not_before=timezone.now() + timedelta(seconds=RETRY_AFTER_S),
        )


def _close(
    claim: ItemClaim, state: State, code: str, status: int, body: bytes | None = None
) -> None:
    claim.rows().update(
        state=state,
        claim=None,
        not_before=None,
        problem_code=code,
        status_code=status,
        sealed=None if body is None else seal(body, claim.item_id, claim.subject),
    )


def _refuse_open(job: BatchJob, error: PlatformError) -> None:
    _free(job, timezone.now()).update(
        state=State.REFUSED,
        claim=None,
        not_before=None,
        sealed=None,
        problem_code=error.code,
        status_code=error.status,
        detail=error.message[:300],
    )


@transaction.atomic
def _finish(actor: Actor, job: BatchJob) -> None:
    """Close the job when every line is; whoever is first does it."""
    if job.items.filter(state__in=BatchItem.OPEN_STATES).exists():
        return
    moved = BatchJob.objects.filter(pk=job.pk, state=BatchJob.State.RUNNING).update(
        state=BatchJob.State.FINISHED, finished_at=timezone.now()
    )
    if moved:
        record_batch(actor, "batch_finished", job, {"counts": tally_of(job).counts})
