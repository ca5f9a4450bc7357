"""A rollout from plan to end, with the services, rows and approvals of the platform."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.permissions import system_actor
from apps.accounts.roles import Role
from apps.approvals.errors import NotApproved
from apps.audit.models import AuditEntry
from apps.core.errors import InvalidInput, NotFound, NotPermitted, StateConflict
from apps.experiments import services, tasks
from apps.experiments.errors import RolloutNotReady
from apps.experiments.models import Rollout, RolloutArm
from apps.experiments.routing import RolloutRouter
from apps.experiments.selectors.rollouts import findings_of, preview_of, rollout_by_id
from apps.experiments.services.shadows import Comparison
from apps.inference.contracts import RouteQuestion
from apps.models_registry import services as registry
from apps.models_registry.models import ModelAlias
from tests.models_registry import stages

pytestmark = pytest.mark.django_db
State = Rollout.State
WATCHER = system_actor("rollouts")
HALF = {"shares": {"candidate": 0.5}}


def asked(participant="", request_id=None):
    return RouteQuestion(
        request_id or uuid.uuid4(), "caller", "support-reply", participant
    )


def routes(count):
    router = RolloutRouter()
    return [router.route(asked(f"p{number}")) for number in range(count)]


# -- before people meet it -------------------------------------------------------------
def test_a_draft_sends_nobody_anywhere(draft, control):
    draft(HALF)

    assert {route.version_id for route in routes(20)} == {str(control.pk)}
    assert {route.reason for route in routes(5)} == {"alias:production"}


def test_nothing_starts_without_the_signatures_of_two(draft, operator, signers):
    rollout_id = str(draft(HALF).pk)
    services.submit_rollout(actor=operator, rollout_id=rollout_id)
    stages.sign_pending(rollout_id, signers[0])

    with pytest.raises(NotApproved):
        services.start_rollout(actor=operator, rollout_id=rollout_id)

    assert {route.reason for route in routes(5)} == {"alias:production"}


def test_who_planned_it_cannot_sign_for_it(draft, operator, acting):
    rollout = draft(HALF)
    services.submit_rollout(actor=operator, rollout_id=str(rollout.pk))

    with pytest.raises(NotPermitted):
        stages.sign_pending(str(rollout.pk), operator)


def test_a_rejected_plan_ends_and_a_withdrawn_one_is_a_draft_again(
    draft, operator, signers
):
    from apps.approvals.services import sign, withdraw_request

    first, second = draft(HALF), draft(HALF)
    asked_first, asked_second = (
        services.submit_rollout(actor=operator, rollout_id=str(row.pk))
        for row in (first, second)
    )
    sign(
        actor=signers[0], request_id=str(asked_first.pk), approve=False,
        meaning="I read it", reason="Too fast",
    )  # fmt: skip
    withdraw_request(actor=operator, request_id=str(asked_second.pk))

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == (State.REJECTED, State.DRAFT)


def test_versions_must_be_signed_for_before_a_rollout_is(
    control, train_another, operator
):
    from tests.experiments.conftest import plan

    train_another(12)
    rollout = services.draft_rollout(actor=operator, document=plan(HALF))

    with pytest.raises(NotApproved):
        services.submit_rollout(actor=operator, rollout_id=str(rollout.pk))


def test_a_plan_needs_another_version_that_is_there(control, operator):
    from tests.experiments.conftest import plan

    with pytest.raises(InvalidInput, match="in production already"):
        services.draft_rollout(
            actor=operator, document=plan(HALF, arms={"candidate": 1})
        )
    with pytest.raises(NotFound):
        services.draft_rollout(
            actor=operator, document=plan(HALF, arms={"candidate": 9})
        )
    assert RolloutArm.objects.count() == 0


def test_a_preview_says_what_will_be_touched(draft):
    found = preview_of(draft({"shares": {"candidate": 0.25}, "units": 40}))

    assert found["steps"][0]["candidate"] == "25.0%"
    assert found["steps"][0]["least_units"] == 40
    assert [arm["arm"] for arm in found["arms"]] == ["candidate", "control"]


# -- routing ---------------------------------------------------------------------------
def test_participants_keep_their_arm_and_shares_are_kept_to(running, control, treated):
    rollout = running(HALF)

    first, again = routes(120), routes(120)

    assert first == again
    served = [route.version_id for route in first]
    assert 36 < served.count(str(treated.pk)) < 84
    assert set(served) == {str(treated.pk), str(control.pk)}
    assert {route.reason for route in first} == {
        f"rollout:{rollout.pk}/0/candidate",
        f"rollout:{rollout.pk}/0/control",
    }


def test_a_shadow_is_asked_beside_control_and_serves_nobody(running, control, treated):
    running({"shares": {}, "shadow": ["candidate"]})

    found = routes(50)

    assert {route.version_id for route in found} == {str(control.pk)}
    assert {route.shadow_version_ids for route in found} == {(str(treated.pk),)}


def test_a_step_moves_people_only_from_control(running, operator, control, treated):
    rollout = running({"shares": {"candidate": 0.2}}, HALF)
    before = routes(60)

    services.step_rollout(actor=operator, rollout_id=str(rollout.pk))

    moved = [
        (old.version_id, new.version_id)
        for old, new in zip(before, routes(60), strict=True)
        if old.version_id != new.version_id
    ]
    assert moved
    assert set(moved) == {(str(control.pk), str(treated.pk))}


# -- moving on -------------------------------------------------------------------------
def test_a_step_is_refused_until_its_time_and_units_are_there(
    running, operator, answered
):
    step = {"shares": {"candidate": 0.5}, "minutes": 30, "units": 20}
    rollout = running(step, HALF)
    answered(rollout, "control", 20)
    answered(rollout, "candidate", 19)

    with pytest.raises(RolloutNotReady, match=r"30\.0 more minutes; 1 more units"):
        services.step_rollout(actor=operator, rollout_id=str(rollout.pk))

    answered(rollout, "candidate", 1)
    with time_machine.travel(timezone.now() + timedelta(minutes=31), tick=False):
        moved = services.step_rollout(actor=operator, rollout_id=str(rollout.pk))
    assert moved.step == 1


def test_only_one_rollout_of_a_model_runs(running, draft, operator, signers):
    running(HALF)

    with pytest.raises(StateConflict, match="Another rollout"):
        running(HALF)


def test_production_must_be_what_the_plan_was_made_beside(
    draft, operator, signers, treated
):
    rollout_id = str(draft(HALF).pk)
    services.submit_rollout(actor=operator, rollout_id=rollout_id)
    stages.sign_pending(rollout_id, *signers)
    registry.promote_version(
        actor=operator, version_id=str(treated.pk), reason="in a hurry"
    )

    with pytest.raises(StateConflict, match="draft the rollout anew"):
        services.start_rollout(actor=operator, rollout_id=rollout_id)


def test_completing_promotes_the_candidate_and_ends(running, operator, treated):
    rollout = running({"shares": {"candidate": 0.2}}, HALF)
    rollout_id = str(rollout.pk)
    with pytest.raises(RolloutNotReady, match="1 further steps"):
        services.complete_rollout(
            actor=operator, rollout_id=rollout_id, arm="candidate", reason="good"
        )
    services.step_rollout(actor=operator, rollout_id=rollout_id)

    done = services.complete_rollout(
        actor=operator, rollout_id=rollout_id, arm="candidate", reason="as good"
    )

    assert done.state == State.COMPLETED
    assert ModelAlias.objects.get(name="production").version_id == treated.pk
    assert {route.reason for route in routes(3)} == {"alias:production"}


# -- the way back ----------------------------------------------------------------------
@pytest.mark.parametrize("role", [Role.OPERATOR, Role.REVIEWER, Role.CLINICIAN])
def test_many_may_stop_a_rollout_at_once(running, acting, control, role):
    rollout = running(HALF)

    services.stop_rollout(
        actor=acting("stopper", role), rollout_id=str(rollout.pk), reason="odd replies"
    )

    assert {route.version_id for route in routes(20)} == {str(control.pk)}
    entry = AuditEntry.objects.get(event="experiments.rollout_stopped")
    assert entry.details["reason"] == "odd replies"
    with pytest.raises(StateConflict):
        services.stop_rollout(
            actor=acting("late", role), rollout_id=str(rollout.pk), reason="again"
        )


def test_a_responder_cannot_stop_it_and_a_reason_is_needed(running, acting, operator):
    rollout_id = str(running(HALF).pk)

    with pytest.raises(NotPermitted):
        services.stop_rollout(
            actor=acting("rex", Role.RESPONDER), rollout_id=rollout_id, reason="x"
        )
    with pytest.raises(InvalidInput):
        services.stop_rollout(actor=operator, rollout_id=rollout_id, reason="  ")


HARMS = {
    "errors": {"decision": "unavailable"},
    "blocks": {"decision": "block"},
    "escalations": {"decision": "escalate"},
    "redactions": {
        "decision": "mask",
        "verdicts": {"output": {"redaction": {"decision": "mask"}}},
    },
    "slow": {"timings": {"predict_ms": 4000.0}},
}


@pytest.mark.parametrize("guard", HARMS)
def test_harm_is_taken_back_by_the_next_look_with_its_evidence(
    registered_tasks, running, control, answered, guard
):
    rollout = running({"shares": {"candidate": 0.2}})
    answered(rollout, "control", 160)
    answered(rollout, "candidate", 40, **HARMS[guard])

    rolled_back = tasks.watch_rollouts.run()

    rollout.refresh_from_db()
    assert rolled_back == [str(rollout.pk)]
    assert rollout.state == State.ROLLED_BACK
    assert f"candidate/{guard}" in rollout.end_reason
    assert {route.version_id for route in routes(20)} == {str(control.pk)}
    entry = AuditEntry.objects.get(event="experiments.rollout_rolled_back")
    assert entry.details["findings"] == rollout.evidence
    judged = {arm["name"]: arm for arm in rollout.evidence["arms"]}["candidate"]
    rate = {rate["guard"]: rate for rate in judged["rates"]}[guard]
    assert (rate["events"], judged["units"], rate["breach"]) == (40, 40, True)


def test_a_harmless_rollout_goes_on(running, answered):
    rollout = running({"shares": {"candidate": 0.2}})
    answered(rollout, "control", 160)
    answered(rollout, "candidate", 40)

    assert services.watch_rollouts(actor=WATCHER) == []

    rollout.refresh_from_db()
    assert rollout.is_running
    assert rollout.watched_at is not None


def test_a_rollout_whose_ground_was_lost_is_taken_back(
    running, operator, treated, control
):
    rollout = running(HALF)
    registry.promote_version(
        actor=operator, version_id=str(treated.pk), reason="without waiting"
    )
    assert {route.reason for route in routes(5)} == {"alias:production"}

    services.watch_rollouts(actor=WATCHER)

    rollout.refresh_from_db()
    assert "production was moved" in rollout.end_reason


def test_a_version_that_is_reopened_takes_its_rollout_back(running, operator, treated):
    rollout = running(HALF)
    registry.reopen_version(actor=operator, version_id=str(treated.pk))

    services.watch_rollouts(actor=WATCHER)

    rollout.refresh_from_db()
    assert "not approved any more" in rollout.end_reason


def test_only_the_watcher_rolls_back(operator):
    with pytest.raises(NotPermitted):
        services.watch_rollouts(actor=operator)


# -- what is counted -------------------------------------------------------------------
def test_who_writes_often_counts_once_by_their_first_request(running, answered):
    rollout = running({"shares": {"candidate": 0.2}})
    answered(rollout, "candidate", 1, participant_digest="hmac-sha256:a")
    answered(
        rollout, "candidate", 9, participant_digest="hmac-sha256:a", decision="block"
    )
    answered(rollout, "candidate", 3, decision="block")

    arm = findings_of(rollout_by_id(str(rollout.pk))).arms[1]

    assert (arm.requests, arm.units) == (13, 4)
    assert {rate.guard: rate.events for rate in arm.rates}["blocks"] == 3
    assert arm.latency_ms == 4.0


def test_requests_of_an_earlier_step_do_not_count(running, operator, answered):
    rollout = running({"shares": {"candidate": 0.2}}, HALF)
    answered(rollout, "candidate", 10)

    moved = services.step_rollout(actor=operator, rollout_id=str(rollout.pk))

    assert [arm.units for arm in findings_of(moved).arms] == [0, 0]


def test_a_shadow_worse_than_control_is_taken_back(running, treated):
    rollout = running({"shares": {}, "shadow": ["candidate"]})
    shadow = system_actor("shadow")
    for number in range(25):
        services.record_comparison(
            actor=shadow,
            found=Comparison(
                rollout.pk, 0, str(treated.pk), uuid.UUID(int=number), "allow",
                "block", False, 4.0, 5.0,
            ),
        )  # fmt: skip

    services.watch_rollouts(actor=WATCHER)

    rollout.refresh_from_db()
    assert "candidate/shadow_refusals" in rollout.end_reason


def test_a_comparison_is_of_a_version_in_the_rollout(running, control):
    rollout = running({"shares": {}, "shadow": ["candidate"]})

    with pytest.raises(NotFound):
        services.record_comparison(
            actor=system_actor("shadow"),
            found=Comparison(
                rollout.pk, 0, str(uuid.uuid4()), uuid.uuid4(), "allow", "allow",
                True, 1.0, 1.0,
            ),
        )  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [{"state": "running"}, {"state": "stopped"}, {"ended_at": timezone.now()}],
    ids=["running", "stopped", "ended"],
)
def test_a_row_that_lies_is_refused_by_the_database(draft, changes):
    rollout = draft(HALF)

    with pytest.raises(IntegrityError), transaction.atomic():
        Rollout.objects.filter(pk=rollout.pk).update(**changes)
