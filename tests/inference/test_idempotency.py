"""One key, one outcome: also for two at once, a dead process and a day later."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.core.errors import IntegrityFailure
from apps.inference.errors import IdempotencyInProgress, IdempotencyKeyReused
from apps.inference.idempotency import (
    CLAIM_LEASE,
    Claim,
    StoredResponse,
    claim_or_replay,
    delete_expired,
    release_claim,
    store_outcome,
)
from apps.inference.models import IdempotentRequest
from apps.inference.tasks import delete_expired_outcomes

FAMILY = uuid.UUID(int=7)


def claim(body: str = "body", family: uuid.UUID = FAMILY):
    return claim_or_replay(
        key_family_id=family, idempotency_key="k-1", body_digest=body
    )


@pytest.mark.django_db
def test_the_first_gets_a_claim_and_the_second_waits():
    assert isinstance(claim(), Claim)

    with pytest.raises(IdempotencyInProgress) as raised:
        claim()

    assert raised.value.status == 409
    assert raised.value.extra["retry_after_s"] == 1


@pytest.mark.django_db
def test_the_stored_outcome_comes_back_byte_for_byte():
    store_outcome(claim(), 200, b'{"a": 1}')

    assert claim() == StoredResponse(200, b'{"a": 1}')


@pytest.mark.django_db
def test_another_body_is_refused_before_and_after_the_outcome():
    mine = claim()
    with pytest.raises(IdempotencyKeyReused):
        claim("other")
    store_outcome(mine, 200, b"{}")

    with pytest.raises(IdempotencyKeyReused):
        claim("other")


@pytest.mark.django_db
def test_a_released_claim_can_be_taken_again():
    release_claim(claim())

    assert isinstance(claim("other"), Claim)


@pytest.mark.django_db
def test_a_claim_left_behind_by_a_dead_process_is_retaken():
    first = claim()

    with time_machine.travel(timezone.now() + CLAIM_LEASE * 2):
        second = claim()

    assert isinstance(second, Claim)
    with pytest.raises(IdempotencyInProgress):
        store_outcome(first, 200, b"{}")
    store_outcome(second, 200, b"{}")


@pytest.mark.django_db
def test_an_outcome_is_forgotten_after_its_day():
    store_outcome(claim(), 200, b"{}")

    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert isinstance(claim("other"), Claim)


@pytest.mark.django_db
def test_expired_outcomes_are_deleted_and_others_kept():
    store_outcome(claim(), 200, b"{}")

    assert delete_expired() == 0
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert delete_expired_outcomes() == 1

    assert IdempotentRequest.objects.count() == 0


@pytest.mark.django_db
def test_an_outcome_moved_to_another_row_cannot_be_opened():
    store_outcome(claim(), 200, b"{}")
    store_outcome(claim(family=uuid.UUID(int=8)), 200, b"{}")
    mine, other = IdempotentRequest.objects.order_by("key_family_id")

    IdempotentRequest.objects.filter(pk=mine.pk).update(response=other.response)

    with pytest.raises(IntegrityFailure):
        claim()


@pytest.mark.django_db
def test_an_outcome_is_stored_once():
    mine = claim()
    store_outcome(mine, 200, b"{}")

    with pytest.raises(IdempotencyInProgress):
        store_outcome(mine, 200, b"{}")


@pytest.mark.django_db
def test_the_database_refuses_a_second_row_for_a_key():
    claim()
    row = IdempotentRequest.objects.get()
    row.pk = uuid.uuid4()

    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


@pytest.mark.django_db
def test_the_database_refuses_half_an_outcome():
    claim()

    with pytest.raises(IntegrityError), transaction.atomic():
        IdempotentRequest.objects.update(status_code=200)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_exactly_one_is_served():
    started = threading.Barrier(6)
    claims, refused = [], []

    def ask() -> None:
        started.wait()
        try:
            claims.append(claim())
        except IdempotencyInProgress as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(claims), len(refused)) == (1, 5)
