"""Daily and monthly quotas, counted in the database with the request they count.

Exact: the count commits with the caller's transaction or not at all, and the condition
is part of the statement that counts. On PostgreSQL requests of one key line therefore
wait for one another from here to their commit; spend late in the transaction.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import DateField, F, UUIDField

from apps.accounts.contracts import QuotaState, TierFacts
from apps.accounts.errors import QuotaExceeded
from apps.accounts.models import QuotaUsage
from apps.core.errors import InvalidInput

Period = QuotaUsage.Period


def spend_quota(key_id: UUID, tier: TierFacts, now: datetime, amount: int = 1) -> None:
    """Count ``amount`` requests on the day and the month of ``now``, or on neither.

    ``key_id`` is ``KeyFacts.family_id``. Raises QuotaExceeded with ``retry_after_s``
    until the full period ends; TransactionManagementError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "spend_quota needs an open transaction"
        )
    if amount < 1:
        raise InvalidInput(f"An amount of {amount} requests cannot be spent.")
    if not _count(key_id, Period.DAY, tier.daily_quota, now, amount):
        raise _exceeded(Period.DAY, tier.daily_quota, now)
    # Day before month everywhere: the order in which rows are locked.
    if not _count(key_id, Period.MONTH, tier.monthly_quota, now, amount):
        _give_back(key_id, Period.DAY, now, amount)
        raise _exceeded(Period.MONTH, tier.monthly_quota, now)


def give_back_quota(key_id: UUID, now: datetime, amount: int = 1) -> None:
    """Take back what ``spend_quota`` counted with the same arguments, no more."""
    for period in Period:
        _give_back(key_id, period, now, amount)


def quota_state(key_id: UUID, tier: TierFacts, now: datetime) -> list[QuotaState]:
    """Day, then month: what the key's line has used and when it is refilled."""
    starts = {period: _start(period, now) for period in Period}
    used = {
        (row.period, row.start): row.used
        for row in QuotaUsage.objects.filter(
            family_id=key_id, start__in=set(starts.values())
        )
    }
    limits = {Period.DAY: tier.daily_quota, Period.MONTH: tier.monthly_quota}
    return [
        QuotaState(
            period=period.value,
            limit=limits[period],
            used=used.get((period.value, start), 0),
            reset_s=_until_end(period, now),
        )
        for period, start in starts.items()
    ]


# One statement: the database decides and counts at once, whatever else runs.
_UPSERT = f"""
INSERT INTO {QuotaUsage._meta.db_table} (family_id, period, start, used)
VALUES (%s, %s, %s, %s)
ON CONFLICT (family_id, period, start) DO UPDATE
SET used = {QuotaUsage._meta.db_table}.used + excluded.used
WHERE {QuotaUsage._meta.db_table}.used + excluded.used <= %s
"""  # noqa: S608 - the table name is a constant of the model


def _count(
    key_id: UUID, period: Period, limit: int, now: datetime, amount: int
) -> bool:
    if amount > limit:
        return False
    key, start = _prepared(key_id, _start(period, now))
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, [key, period.value, start, amount, limit])
        return bool(cursor.rowcount == 1)


def _prepared(key_id: UUID, start: date) -> tuple[UUID | str, date | str]:
    """Both values in the form that this database stores."""
    identifier = UUIDField().get_db_prep_value(key_id, connection)
    return identifier, DateField().get_db_prep_value(start, connection)


def _give_back(key_id: UUID, period: Period, now: datetime, amount: int) -> None:
    QuotaUsage.objects.filter(
        family_id=key_id, period=period, start=_start(period, now)
    ).update(used=F("used") - amount)


def _start(period: Period, now: datetime) -> date:
    day = now.astimezone(UTC).date()
    return day if period is Period.DAY else day.replace(day=1)


def _until_end(period: Period, now: datetime) -> float:
    start = _start(period, now)
    step = 1 if period is Period.DAY else 32
    following = _start(
        period, datetime.combine(start + timedelta(days=step), datetime.min.time(), UTC)
    )
    end = datetime.combine(following, datetime.min.time(), UTC)
    return (end - now).total_seconds()


def _exceeded(period: Period, limit: int, now: datetime) -> QuotaExceeded:
    return QuotaExceeded(
        f"The quota of {limit} requests a {period.value} is spent. It is counted in "
        "UTC and starts again with the next one.",
        retry_after_s=_until_end(period, now),
    )
