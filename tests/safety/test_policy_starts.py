"""Versions that start later, are compared, and are gone back to."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.roles import Role
from apps.approvals.models import ApprovalRequest
from apps.core.actors import Actor
from apps.core.errors import NotPermitted
from apps.safety import selectors, services
from apps.safety.errors import PolicyInvalid, PolicyMissing, PolicyState
from apps.safety.models import SafetyPolicy
from apps.safety.policy import default_document, parse_policy
from apps.safety.selectors import forget_policies, policy_in_force

Adopt = Callable[..., SafetyPolicy]
HOUR = timedelta(hours=1)


def starting(at: datetime | None, escalate: float = 0.4) -> dict[str, Any]:
    document = deepcopy(default_document())
    document["gates"][0]["thresholds"]["input"]["escalate"] = escalate
    if at is not None:
        document["effective_from"] = at.astimezone(UTC).isoformat(timespec="seconds")
    return document


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Let time pass for whoever asks which policy is in force."""
    passed = timedelta(0)

    class Clock:
        @staticmethod
        def now() -> datetime:
            return timezone.now() + passed

    def pass_time(by: timedelta) -> None:
        nonlocal passed
        passed += by

    monkeypatch.setattr(selectors, "timezone", Clock)
    return pass_time


def test_a_policy_approved_to_start_later_waits_for_its_time(
    adopt: Adopt, clock: Callable[[timedelta], None]
) -> None:
    adopt()
    later = adopt(document=starting(timezone.now() + HOUR))

    assert (later.state, policy_in_force().version) == ("approved", 1)
    clock(HOUR)
    assert policy_in_force().version == 2


def test_what_is_held_is_let_go_when_the_next_one_starts(
    adopt: Adopt, settings: Any
) -> None:
    settings.PE_POLICY_CACHE_S = 3600.0
    adopt()
    adopt(document=starting(timezone.now() + timedelta(seconds=120)))
    forget_policies()

    policy_in_force()

    until, _ = selectors._held["default"]
    assert 0 < until - selectors.time.monotonic() <= 120


def test_a_time_that_is_past_when_it_is_approved_means_now(adopt: Adopt) -> None:
    first = adopt()
    second = adopt(document=starting(timezone.now() - HOUR))

    first.refresh_from_db()
    assert (first.state, policy_in_force().version) == ("retired", 2)
    assert second.starts_at == second.approved_at


def test_a_first_policy_that_starts_later_is_not_yet_one(adopt: Adopt) -> None:
    adopt(document=starting(timezone.now() + HOUR))

    with pytest.raises(PolicyMissing):
        policy_in_force()


def test_one_that_waits_can_be_called_off(
    adopt: Adopt, operator: Actor, clock: Callable[[timedelta], None]
) -> None:
    adopt()
    later = adopt(document=starting(timezone.now() + HOUR))

    services.retire_policy(actor=operator, policy_id=str(later.pk))

    clock(2 * HOUR)
    assert policy_in_force().version == 1


def test_retiring_what_is_in_force_brings_no_older_one_back(
    adopt: Adopt, operator: Actor
) -> None:
    first, second = adopt(), adopt(document=starting(timezone.now() + HOUR))
    past = timezone.now() - timedelta(minutes=5)
    for row, start in ((first, past - HOUR), (second, past)):
        SafetyPolicy.objects.filter(pk=row.pk).update(
            approved_at=past - HOUR, starts_at=start
        )
    forget_policies()
    assert policy_in_force().version == 2

    services.retire_policy(actor=operator, policy_id=str(second.pk))

    forget_policies()
    with pytest.raises(PolicyMissing):
        policy_in_force()


def test_the_start_is_part_of_what_is_signed(operator: Actor) -> None:
    at = timezone.now() + HOUR
    plain = services.draft_policy(
        actor=operator, name="default", document=starting(None)
    )
    timed = services.draft_policy(actor=operator, name="default", document=starting(at))

    assert plain.digest != timed.digest


@pytest.mark.parametrize(
    "written", ["tomorrow", "2026-01-01", "2026-13-01T00:00Z", "2026-01-01T00:00", 7]
)
def test_a_start_that_is_no_moment_is_refused(written: object) -> None:
    with pytest.raises(PolicyInvalid):
        parse_policy({**default_document(), "effective_from": written}, name="x")


def test_going_back_is_a_new_version_that_needs_its_own_signatures(
    adopt: Adopt, operator: Actor
) -> None:
    first = adopt(document=starting(timezone.now() - HOUR, 0.3))
    adopt(document=starting(None, 0.45))

    draft = services.revert_policy(actor=operator, policy_id=str(first.pk))

    assert (draft.version, draft.state) == (3, "draft")
    assert draft.document == starting(None, 0.3)
    assert policy_in_force().version == 2
    assert not ApprovalRequest.objects.filter(subject_id=str(draft.pk)).exists()


def test_nobody_goes_back_to_what_was_never_approved(
    operator: Actor, responder: Actor, adopt: Adopt
) -> None:
    draft = services.draft_policy(
        actor=operator, name="default", document=default_document()
    )

    with pytest.raises(PolicyState, match="never approved"):
        services.revert_policy(actor=operator, policy_id=str(draft.pk))
    with pytest.raises(NotPermitted):
        services.revert_policy(actor=responder, policy_id=str(adopt().pk))


def test_the_screen_compares_two_versions_and_goes_back(
    adopt: Adopt, signed_in: Callable[..., Client]
) -> None:
    client, first = signed_in(Role.OPERATOR), adopt()
    second = adopt(document=starting(None, 0.41))
    url = reverse("admin:safety_safetypolicy_compare", args=[second.pk])
    step = reverse("admin:safety_safetypolicy_step", args=[first.pk, "revert"])

    chosen = client.get(url, {"other": str(first.pk)}, secure=True).content.decode()
    told = client.post(step, follow=True, secure=True).content.decode()

    assert "gates / crisis / thresholds / input / escalate" in chosen
    assert "0.41" in chosen
    assert "samaritans" not in chosen.lower()
    assert "Drafted default v3" in told


def test_the_list_says_which_version_is_in_force(
    adopt: Adopt, signed_in: Callable[..., Client], django_assert_max_num_queries: Any
) -> None:
    adopt()
    later = adopt(document=starting(timezone.now() + HOUR))
    client = signed_in(Role.REVIEWER)

    with django_assert_max_num_queries(12):
        page = client.get(reverse("admin:safety_safetypolicy_changelist"), secure=True)

    rows = {row.version: row for row in page.context["cl"].result_list}
    assert rows[1].current_id == rows[1].pk != later.pk
    assert rows[2].current_id == rows[1].pk


@pytest.mark.django_db(transaction=True)
def test_policies_approved_before_starts_existed_started_when_approved(
    person: Callable[..., User],
) -> None:
    old = [("safety", "0003_policy_starts_at")]
    executor = MigrationExecutor(connection)
    # Of every app: what stands upon these migrations is taken back with them.
    newest = executor.loader.graph.leaf_nodes()
    executor.migrate(old)
    try:
        policies = executor.loader.project_state(old).apps.get_model(
            "safety", "SafetyPolicy"
        )
        row = policies.objects.create(
            name="old", version=1, document={}, digest="x", state="approved",
            approved_at=timezone.now(), author_id=person("ada").pk,
        )  # fmt: skip
    finally:
        MigrationExecutor(connection).migrate(newest)

    kept = SafetyPolicy.objects.get(pk=row.pk)
    assert kept.starts_at == kept.approved_at
