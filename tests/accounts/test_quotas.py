"""Quotas: exact under concurrency, refilled at the turn of the UTC day and month."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from apps.accounts.contracts import TierFacts
from apps.accounts.errors import QuotaExceeded
from apps.accounts.models import QuotaUsage
from apps.accounts.quotas import quota_state, spend_quota
from apps.core.errors import InvalidInput

NOW = datetime(2026, 2, 27, 23, 59, 30, tzinfo=UTC)
TIER = TierFacts("small", 1, 1, daily_quota=3, monthly_quota=5, max_text_chars=10)


def _used(key_id, now=NOW):
    return [state.used for state in quota_state(key_id, TIER, now)]


@pytest.mark.django_db
def test_day_and_month_are_counted_together():
    key_id = uuid.uuid4()

    spend_quota(key_id, TIER, NOW)
    spend_quota(key_id, TIER, NOW, amount=2)

    day, month = quota_state(key_id, TIER, NOW)
    assert (day.used, day.remaining, day.reset_s) == (3, 0, 30)
    assert (month.used, month.remaining) == (3, 2)
    assert month.reset_s == 24 * 3600 + 30


@pytest.mark.django_db
def test_full_day_refuses_and_says_when_it_ends():
    key_id = uuid.uuid4()
    spend_quota(key_id, TIER, NOW, amount=3)

    with pytest.raises(QuotaExceeded) as refused:
        spend_quota(key_id, TIER, NOW)

    assert refused.value.extra["retry_after_s"] == 30
    assert _used(key_id) == [3, 3]


@pytest.mark.django_db
def test_next_day_opens_until_the_month_is_full_and_then_takes_nothing_of_the_day():
    key_id = uuid.uuid4()
    spend_quota(key_id, TIER, NOW, amount=3)
    tomorrow = NOW.replace(day=28)
    spend_quota(key_id, TIER, tomorrow, amount=2)

    with pytest.raises(QuotaExceeded, match="month") as refused:
        spend_quota(key_id, TIER, tomorrow)

    assert refused.value.extra["retry_after_s"] == 30
    assert _used(key_id, tomorrow) == [2, 5]


@pytest.mark.django_db
def test_quota_refills_in_december_too():
    key_id = uuid.uuid4()
    december = datetime(2026, 12, 31, 12, tzinfo=UTC)
    spend_quota(key_id, TIER, december, amount=3)

    assert quota_state(key_id, TIER, december)[1].reset_s == 12 * 3600
    spend_quota(key_id, TIER, datetime(2027, 1, 1, tzinfo=UTC), amount=3)


@pytest.mark.django_db
@pytest.mark.parametrize("amount", [0, -1])
def test_amounts_below_one_are_refused(amount):
    with pytest.raises(InvalidInput):
        spend_quota(uuid.uuid4(), TIER, NOW, amount=amount)


@pytest.mark.django_db
def test_amount_above_the_quota_is_refused_without_a_trace():
    with pytest.raises(QuotaExceeded):
        spend_quota(uuid.uuid4(), TIER, NOW, amount=4)

    assert not QuotaUsage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_spending_needs_a_transaction():
    with pytest.raises(transaction.TransactionManagementError):
        spend_quota(uuid.uuid4(), TIER, NOW)


@pytest.mark.django_db(transaction=True)
def test_rolled_back_request_costs_nothing():
    key_id = uuid.uuid4()

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        spend_quota(key_id, TIER, NOW)
        raise ZeroDivisionError

    assert _used(key_id) == [0, 0]


@pytest.mark.django_db(transaction=True)
def test_threads_together_spend_exactly_the_quota():
    key_id = uuid.uuid4()
    tier = TierFacts("t", 1, 1, daily_quota=10, monthly_quota=1000, max_text_chars=1)
    outcomes: list[bool] = []
    gate = threading.Barrier(4)

    def spend() -> None:
        gate.wait()
        for _ in range(5):
            try:
                with transaction.atomic():
                    spend_quota(key_id, tier, NOW)
                outcomes.append(True)
            except QuotaExceeded:
                outcomes.append(False)
        connection.close()

    threads = [threading.Thread(target=spend) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(outcomes) == 10
    assert len(outcomes) == 20
    assert quota_state(key_id, tier, NOW)[0].used == 10
    assert quota_state(key_id, tier, NOW)[1].used == 10
