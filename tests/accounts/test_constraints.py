"""What the database itself refuses, each constraint violated once."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.models import ApiKey, QuotaUsage, Tier

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"requests_per_second": 0}, "tier_rate_positive"),
        ({"requests_per_second": 100_001}, "tier_rate_positive"),
        ({"burst": 0}, "tier_burst_from_one"),
        ({"daily_quota": 0}, "tier_month_holds_a_day"),
        ({"monthly_quota": 1}, "tier_month_holds_a_day"),
        ({"max_text_chars": 0}, "tier_text_from_one"),
    ],
)
def test_tier_constraints(tier, values, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Tier.objects.filter(pk=tier.pk).update(**values)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"revoked_at": timezone.now()}, "apikey_revocation_paired"),
        (
            {"expires_at": timezone.now() - timedelta(days=9)},
            "apikey_expires_after_creation",
        ),
        ({"name": ""}, "apikey_has_a_name"),
    ],
)
def test_key_constraints(issue, values, constraint):
    key, _ = issue()

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        ApiKey.objects.filter(pk=key.pk).update(**values)


def test_key_is_not_rotated_from_itself(issue):
    key, _ = issue()

    with (
        pytest.raises(IntegrityError, match="apikey_not_from_itself"),
        transaction.atomic(),
    ):
        ApiKey.objects.filter(pk=key.pk).update(rotated_from=key.pk)


@pytest.mark.parametrize("field", ["prefix", "digest", "rotated_from"])
def test_key_fields_that_are_unique(issue, field):
    first, _ = issue()
    second, _ = issue()
    third, _ = issue()
    ApiKey.objects.filter(pk=second.pk).update(rotated_from=first)
    values = {
        "prefix": second.prefix,
        "digest": second.digest,
        "rotated_from": first.pk,
    }

    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.filter(pk=third.pk).update(**{field: values[field]})


@pytest.mark.parametrize("relation", ["owner", "tier"])
def test_what_a_key_depends_on_cannot_be_deleted(issue, relation):
    key, _ = issue()

    with pytest.raises(IntegrityError):
        getattr(key, relation).delete()


def test_quota_is_counted_in_one_row_a_period():
    key_id = uuid.uuid4()
    row = {"family_id": key_id, "period": "day", "start": date(2026, 1, 1)}
    QuotaUsage.objects.create(**row)

    with pytest.raises(IntegrityError), transaction.atomic():
        QuotaUsage.objects.create(**row)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"period": "week"}, "quota_period_known"),
        ({"used": -1}, "quota_never_negat|used"),
    ],
)
def test_quota_constraints(values, constraint):
    row = {"family_id": uuid.uuid4(), "period": "day", "start": date(2026, 1, 1)}

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        QuotaUsage.objects.create(**(row | values))
