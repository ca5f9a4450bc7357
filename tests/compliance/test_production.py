"""What was in production: from the change log of real versions and approvals."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from apps.approvals.models import ApprovalRequest
from apps.compliance.evidence import duties, period
from apps.compliance.evidence.period import Period
from apps.models_registry import services as registry
from tests.audit.support import execute
from tests.models_registry.fixtures import *  # noqa: F403

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _train_once(settings):
    settings.PE_TRAINING_RUNNERS = ["tests.inference.runners.RememberingRunner"]


@pytest.fixture
def today() -> Period:
    now = timezone.now().date()
    return Period(now, now)


def test_production_says_which_version_when_and_by_which_approval(
    operator, candidate, approve, today
):
    version = approve(candidate)
    registry.promote_version(
        actor=operator, version_id=str(version.pk), reason="first version"
    )

    (row,) = period.production(today)

    assert (row["alias"], row["version"], row["until"]) == ("production", 1, None)
    assert row["by"] == "olga"
    approval = ApprovalRequest.objects.get(pk=row["approval"])
    assert approval.subject_id == str(version.pk)
    signed = {one["id"]: one["sign_offs"] for one in period.approvals(today)}
    assert len(signed[row["approval"]]) == 2
    later = Period(today.first + timedelta(days=30), today.last + timedelta(days=40))
    assert [one["version"] for one in period.production(later)] == [1]
    before = Period(date(2020, 1, 1), date(2020, 1, 31))
    assert period.production(before) == []
    assert not any("promoted" in str(one) for one in duties.conflicts(today))


def test_who_signed_and_promoted_is_told(operator, candidate, approve, today):
    version = approve(candidate)
    registry.promote_version(
        actor=operator, version_id=str(version.pk), reason="first version"
    )
    request = ApprovalRequest.objects.get(subject_id=str(version.pk))
    sign_off = request.sign_offs.first()
    # As if the one who signed had promoted as well.
    moved = "UPDATE models_registry_aliaschange SET changed_by_id = %s"
    execute(moved, sign_off.signer_id)

    found = duties.conflicts(today)

    told = [one for one in found if "promoted" in str(one["conflict"])]
    assert told[0]["who"] == sign_off.signer.get_username()
    assert told[0]["stopped_by"] == ""
