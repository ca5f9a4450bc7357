"""Idempotency keys: the same key and body get the first outcome, once and for all.

A claim is one row, inserted or retaken by a conditional update, committed before the
request is served. The outcome is stored by the transaction that closes the request,
fenced by the claim, so a request that lost its claim cannot close.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from apps.inference.errors import IdempotencyInProgress, IdempotencyKeyReused
from apps.inference.models import IdempotentRequest
from apps.inference.sealing import seal, unseal

# A process that died holds its claim no longer than this.
CLAIM_LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to store the outcome of one row."""

    row_id: uuid.UUID
    token: uuid.UUID

    def store(self, status: int, body: bytes, subject: str = "") -> None:
        store_outcome(self, status, body, subject)

    def release(self) -> None:
        release_claim(self)


class OutcomeClaim(Protocol):
    """The right to store one outcome, in the transaction that closes its request.

    ``store`` raises a PlatformError when the right was lost meanwhile, so that a
    request cannot close twice. ``subject`` names the person whose key seals it.
    ``release`` lets it be tried again.
    """

    def store(self, status: int, body: bytes, subject: str = "") -> None: ...

    def release(self) -> None: ...


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A first outcome, byte for byte."""

    status: int
    body: bytes


def claim_or_replay(
    *, key_family_id: uuid.UUID, idempotency_key: str, body_digest: str
) -> Claim | StoredResponse:
    """A claim for the first request, the stored outcome for every later one.

    Raises IdempotencyKeyReused for another body, IdempotencyInProgress while the first
    request is being served.
    """
    token, now = uuid.uuid4(), timezone.now()
    fresh = IdempotentRequest(
        key_family_id=key_family_id,
        idempotency_key=idempotency_key,
        body_digest=body_digest,
        claim=token,
        claimed_until=now + CLAIM_LEASE,
        expires_at=now + timedelta(hours=settings.PE_IDEMPOTENCY_HOURS),
    )
    try:
        with transaction.atomic():
            fresh.save(force_insert=True)
    except IntegrityError:
        return _claim_again(fresh)
    return Claim(fresh.pk, token)


def _claim_again(fresh: IdempotentRequest) -> Claim | StoredResponse:
    """Replay, refuse, or retake a row that is expired or was left behind."""
    rows = IdempotentRequest.objects.filter(
        key_family_id=fresh.key_family_id, idempotency_key=fresh.idempotency_key
    )
    now = timezone.now()
    left_behind = Q(response__isnull=True, claimed_until__lte=now)
    retaken = rows.filter(Q(expires_at__lte=now) | left_behind).update(
        body_digest=fresh.body_digest,
        claim=fresh.claim,
        claimed_until=fresh.claimed_until,
        expires_at=fresh.expires_at,
        status_code=None,
        response=None,
    )
    row = rows.first()
    if row is not None and retaken:
        return Claim(row.pk, fresh.claim)
    if row is not None and row.body_digest != fresh.body_digest:
        raise IdempotencyKeyReused(
            "This Idempotency-Key was used with another body. Use a new key for a "
            "new request, and the same body to repeat one."
        )
    if row is None or not row.is_closed:
        raise IdempotencyInProgress(
            "The first request with this Idempotency-Key is still being served.",
            extra={"retry_after_s": 1},
        )
    return StoredResponse(int(row.status_code or 0), unseal(_bytes(row), row.pk))


def _bytes(row: IdempotentRequest) -> bytes:
    return bytes(row.response or b"")


def store_outcome(claim: Claim, status: int, body: bytes, subject: str = "") -> None:
    """Keep the outcome, under the person's key where one is named.

    Raises IdempotencyInProgress when the claim was lost meanwhile.
    """
    stored = IdempotentRequest.objects.filter(
        pk=claim.row_id, claim=claim.token, response__isnull=True
    ).update(
        status_code=status,
        response=seal(body, claim.row_id, subject),
        subject=subject,
    )
    if stored != 1:
        raise IdempotencyInProgress(
            "Another request with this Idempotency-Key took over.",
            extra={"retry_after_s": 1},
        )


def release_claim(claim: Claim) -> None:
    """Let the key be tried again after a request that stored no outcome."""
    IdempotentRequest.objects.filter(
        pk=claim.row_id, claim=claim.token, response__isnull=True
    ).delete()


@contextmanager
def held(claim: OutcomeClaim | None) -> Iterator[None]:
    """Release the claim when the block raises, so that the key can be tried again."""
    settled = False
    try:
        yield
        settled = True
    finally:
        if claim is not None and not settled:
            with suppress(DatabaseError):
                claim.release()


def delete_expired() -> int:
    """Forget outcomes past their day; the number of rows deleted."""
    deleted, _ = IdempotentRequest.objects.filter(
        expires_at__lte=timezone.now()
    ).delete()
    return deleted
