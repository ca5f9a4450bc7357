"""Crisis cases: durable, identifier only, one way forward, found when late."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.permissions import system_actor
from apps.audit.models import AuditEntry
from apps.core.actors import Actor
from apps.core.errors import InvalidInput, NotFound, NotPermitted
from apps.safety import services, tasks
from apps.safety.contracts import RiskLevel
from apps.safety.errors import EscalationState
from apps.safety.models import Escalation, EscalationStep
from apps.safety.policy import default_policy
from apps.safety.selectors import open_escalations, overdue_escalations

Opened = Callable[..., Escalation]
SWEEPER = "escalation"


def kinds(row: Escalation) -> list[str]:
    return list(row.steps.values_list("kind", flat=True))


def make_late(row: Escalation) -> None:
    Escalation.objects.filter(pk=row.pk).update(
        opened_at=timezone.now() - timedelta(hours=2),
        due_at=timezone.now() - timedelta(hours=1),
    )


def test_opening_commits_row_step_and_audit_entry_together(opened: Opened) -> None:
    row = opened(RiskLevel.IMMINENT)

    assert row.is_open
    assert kinds(row) == ["opened"]
    assert row.due_at - row.opened_at == timedelta(minutes=5)
    entry = AuditEntry.objects.get(event="safety.escalation_opened")
    assert entry.subject_id == str(row.pk)


def test_nothing_of_the_text_is_kept(opened: Opened) -> None:
    row = opened()

    kept = repr(
        [vars(row), list(row.steps.values()), list(AuditEntry.objects.values())]
    )
    assert "words that are not kept" not in kept
    assert row.text_digest.startswith("hmac-sha256:")


def test_a_text_digest_exists_for_any_text() -> None:
    assert services.text_digest("\ud800\x00") != services.text_digest("")


def test_opening_twice_for_one_request_is_one_case(opened: Opened) -> None:
    correlation_id = uuid.uuid4()

    first, second = (
        opened(correlation_id=correlation_id),
        opened(correlation_id=correlation_id),
    )

    assert first.pk == second.pk
    assert Escalation.objects.count() == 1


def test_only_the_inference_path_opens(responder: Actor) -> None:
    with pytest.raises(NotPermitted):
        services.open_escalation(
            actor=responder,
            correlation_id=uuid.uuid4(),
            level=RiskLevel.HIGH,
            locale="en",
            reasons=[],
            digest="x",
            policy=default_policy(),
        )


@pytest.mark.django_db(transaction=True)
def test_notice_follows_the_commit_by_identifier_only(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(tasks.notify, "delay", lambda *args: sent.append(args))

    with transaction.atomic():
        row = opened()
        assert sent == []

    assert sent == [(str(row.pk), 0)]


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_does_not_lose_the_case(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def down(*_args: object) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr(tasks.notify, "delay", down)

    row = opened()

    assert Escalation.objects.filter(pk=row.pk).exists()


def test_the_notice_leaves_one_step_however_often_it_is_delivered(
    opened: Opened,
) -> None:
    row = opened()

    tasks.notify(str(row.pk), 0)
    tasks.notify(str(row.pk), 0)

    assert kinds(row) == ["opened", "notified"]


def test_a_taken_case_is_not_notified_about(opened: Opened, responder: Actor) -> None:
    row = opened()
    services.acknowledge_escalation(actor=responder, escalation_id=str(row.pk))

    told = services.notify_escalation(
        actor=system_actor(SWEEPER), escalation_id=str(row.pk), rung=1
    )

    assert not told


def test_from_open_to_resolved(opened: Opened, responder: Actor) -> None:
    row = opened()

    services.acknowledge_escalation(actor=responder, escalation_id=str(row.pk))
    done = services.resolve_escalation(
        actor=responder, escalation_id=str(row.pk), disposition="supported"
    )

    assert done.state == Escalation.State.RESOLVED
    assert str(done.resolved_by_id) == responder.id
    assert kinds(row) == ["opened", "acknowledged", "resolved"]
    assert not open_escalations().exists()


def test_only_the_first_to_acknowledge_has_it(
    opened: Opened, responder: Actor, clinician: Actor
) -> None:
    row = opened()
    services.acknowledge_escalation(actor=responder, escalation_id=str(row.pk))

    with pytest.raises(EscalationState, match="acknowledged"):
        services.acknowledge_escalation(actor=clinician, escalation_id=str(row.pk))


def test_resolving_needs_acknowledging_first(opened: Opened, responder: Actor) -> None:
    row = opened()

    with pytest.raises(EscalationState):
        services.resolve_escalation(
            actor=responder, escalation_id=str(row.pk), disposition="supported"
        )


@pytest.mark.parametrize("disposition", ["", "fine", "SUPPORTED"])
def test_resolving_needs_a_known_disposition(
    opened: Opened, responder: Actor, disposition: str
) -> None:
    row = opened()
    services.acknowledge_escalation(actor=responder, escalation_id=str(row.pk))

    with pytest.raises(InvalidInput):
        services.resolve_escalation(
            actor=responder, escalation_id=str(row.pk), disposition=disposition
        )


def test_reassigning_goes_to_someone_who_answers(
    opened: Opened, responder: Actor, clinician: Actor, operator: Actor
) -> None:
    row = opened()

    moved = services.reassign_escalation(
        actor=responder, escalation_id=str(row.pk), responder_id=clinician.id
    )

    assert str(moved.assigned_to_id) == clinician.id
    for wrong in (operator.id, "0", "x"):
        with pytest.raises(InvalidInput):
            services.reassign_escalation(
                actor=responder, escalation_id=str(row.pk), responder_id=wrong
            )


def test_a_resolved_case_is_not_reassigned(opened: Opened, responder: Actor) -> None:
    row = opened()
    services.acknowledge_escalation(actor=responder, escalation_id=str(row.pk))
    services.resolve_escalation(
        actor=responder, escalation_id=str(row.pk), disposition="no_risk"
    )

    with pytest.raises(EscalationState):
        services.reassign_escalation(
            actor=responder, escalation_id=str(row.pk), responder_id=responder.id
        )


def test_an_operator_may_not_touch_the_desk(opened: Opened, operator: Actor) -> None:
    row = opened()

    with pytest.raises(NotPermitted):
        services.acknowledge_escalation(actor=operator, escalation_id=str(row.pk))


@pytest.mark.parametrize("escalation_id", ["00000000-0000-4000-8000-000000000000"])
def test_an_unknown_case_is_not_found(responder: Actor, escalation_id: str) -> None:
    with pytest.raises(NotFound):
        services.acknowledge_escalation(actor=responder, escalation_id=escalation_id)


def test_the_sweep_raises_overdue_cases_by_one_rung(opened: Opened) -> None:
    late, fresh = opened(), opened()
    make_late(late)

    tasks.sweep()

    late.refresh_from_db()
    fresh.refresh_from_db()
    assert (late.rung, fresh.rung) == (1, 0)
    assert late.due_at > timezone.now()
    assert kinds(late) == ["opened", "overdue"]


def test_a_second_sweep_finds_nothing_new(opened: Opened) -> None:
    make_late(opened())
    sweeper = system_actor(SWEEPER)

    first = services.sweep_overdue_escalations(actor=sweeper)
    second = services.sweep_overdue_escalations(actor=sweeper)

    assert (first, second) == (1, 0)


def test_rungs_go_from_on_call_to_everyone(opened: Opened) -> None:
    row = opened()
    for _ in range(3):
        make_late(row)
        tasks.sweep()

    told = [step.details["audience"] for step in row.steps.filter(kind="overdue")]
    assert told == ["next_responder", "everyone", "everyone"]


def test_acknowledged_cases_are_never_overdue(opened: Opened, responder: Actor) -> None:
    row = opened()
    services.acknowledge_escalation(actor=responder, escalation_id=str(row.pk))
    make_late(row)

    assert not overdue_escalations(timezone.now()).exists()


CONSTRAINTS: dict[str, dict[str, object]] = {
    "acknowledged without a who": {"acknowledged_at": timezone.now()},
    "resolved without a who": {"resolved_at": timezone.now()},
    "acknowledged in name only": {"state": "acknowledged"},
    "resolved in name only": {"state": "resolved", "disposition": "supported"},
    "a disposition while open": {"disposition": "supported"},
    "due before it opened": {"due_at": timezone.now() - timedelta(days=900)},
}


@pytest.mark.parametrize("facts", CONSTRAINTS.values(), ids=CONSTRAINTS.keys())
def test_the_database_refuses(opened: Opened, facts: dict[str, Any]) -> None:
    row = opened()

    with pytest.raises(IntegrityError), transaction.atomic():
        Escalation.objects.filter(pk=row.pk).update(**facts)


def test_the_database_refuses_opening_twice(opened: Opened) -> None:
    row = opened()
    step = row.steps.get()

    with pytest.raises(IntegrityError), transaction.atomic():
        EscalationStep.objects.create(
            escalation=row, kind="opened", rung=0, at=step.at, actor_kind="system",
            actor_id="x", actor_label="x",
        )  # fmt: skip
