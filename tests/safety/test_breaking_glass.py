"""Reading what was said: a reason first, recorded before anything is shown."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.permissions import system_actor
from apps.accounts.roles import Role
from apps.audit.models import AuditEntry
from apps.core.actors import Actor
from apps.core.errors import (
    IntegrityFailure,
    InvalidInput,
    NotFound,
    NotPermitted,
)
from apps.safety import services
from apps.safety.cases import CaseFacts
from apps.safety.contracts import RiskLevel
from apps.safety.models import Escalation, EscalationText
from tests.conftest import STAFF_PASSWORD

SAID = "<b>invented words</b> of a test \ud800"
AGAIN = {"password": STAFF_PASSWORD}
WHY = "Caller on line two needs the exact wording"
READ = "safety.escalation_text_read"


@pytest.fixture
def case(db: None) -> Escalation:
    return services.open_case(
        actor=system_actor("inference"),
        facts=CaseFacts(
            correlation_id=uuid.uuid4(),
            level=RiskLevel.HIGH,
            locale="en-GB",
            reasons=("crisis.plan",),
            digest="hmac-sha256:0",
            policy_digest="sha256:0",
            minutes=10,
            happened_at=timezone.now(),
            text=SAID,
        ),
    )


def read(actor: Actor, case: Escalation, reason: str = WHY) -> str:
    return services.read_escalation_text(
        actor=actor, escalation_id=str(case.pk), reason=reason
    )


def test_the_text_lies_sealed(case: Escalation) -> None:
    assert b"invented" not in bytes(EscalationText.objects.get().sealed)
    assert "invented" not in str(list(AuditEntry.objects.values()))


def test_reading_leaves_who_and_why(case: Escalation, responder: Actor) -> None:
    assert read(responder, case) == SAID

    entry = AuditEntry.objects.get(event=READ)
    assert entry.details["reason"] == WHY
    assert entry.actor_id == responder.id
    assert case.steps.get(kind="read").details == {"reason": WHY}


@pytest.mark.parametrize("reason", ["", "   ", "because", "x" * 30, "y" * 501])
def test_a_reason_that_says_nothing_opens_nothing(
    case: Escalation, responder: Actor, reason: str
) -> None:
    with pytest.raises(InvalidInput):
        read(responder, case, reason)

    assert not AuditEntry.objects.filter(event=READ).exists()


def test_it_takes_a_permission_of_its_own_and_a_person(
    case: Escalation, compliance: Actor, operator: Actor
) -> None:
    for actor in (compliance, operator, system_actor("escalation")):
        with pytest.raises(NotPermitted):
            read(actor, case)


def test_a_look_that_cannot_be_recorded_does_not_happen(
    case: Escalation, responder: Actor
) -> None:
    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().upper().startswith("INSERT") and "audit_auditentry" in sql:
            raise OperationalError("disk full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse), pytest.raises(OperationalError):
        read(responder, case)


def test_what_is_past_its_day_cannot_be_read_and_is_forgotten(
    case: Escalation, responder: Actor
) -> None:
    EscalationText.objects.update(keep_until=timezone.now() - timedelta(seconds=1))

    with pytest.raises(NotFound):
        read(responder, case)
    services.sweep_overdue_escalations(actor=system_actor("escalation"))

    assert not EscalationText.objects.exists()
    assert Escalation.objects.filter(pk=case.pk).exists()


def test_a_text_moved_to_another_case_does_not_open(
    case: Escalation, opened: Callable[..., Escalation], responder: Actor
) -> None:
    other = opened()
    EscalationText.objects.update(escalation=other)

    with pytest.raises(IntegrityFailure):
        read(responder, other)


@pytest.fixture
def signed_in(person: Callable[..., User]) -> Callable[..., Client]:
    def make(role: Role) -> Client:
        client = Client()
        client.force_login(
            person(f"staff-{role}", role),
            backend="django.contrib.auth.backends.ModelBackend",
        )
        return client

    return make


def glass(case: Escalation) -> str:
    return reverse("admin:safety_escalation_break_glass", args=[case.pk])


def test_the_page_shows_the_text_only_after_a_reason(
    case: Escalation, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(Role.RESPONDER)
    case_page = reverse("admin:safety_escalation_change", args=[case.pk])

    listed = client.get(case_page, secure=True).content.decode()
    asked = client.get(glass(case), secure=True)
    refused = client.post(glass(case), {"reason": "no"}, secure=True)
    shown = client.post(glass(case), {"reason": WHY, **AGAIN}, secure=True)

    assert glass(case) in listed
    assert "Masked." in listed
    for page in (listed, asked.content.decode(), refused.content.decode()):
        assert "invented" not in page
    assert "&lt;b&gt;invented words&lt;/b&gt;" in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert AuditEntry.objects.filter(event=READ).count() == 1


@pytest.mark.parametrize("role", [Role.COMPLIANCE, Role.OPERATOR])
def test_the_page_is_closed_to_who_may_not_read(
    case: Escalation, signed_in: Callable[..., Client], role: Role
) -> None:
    client = signed_in(role)

    response = client.post(glass(case), {"reason": WHY, **AGAIN}, secure=True)

    assert response.status_code in {302, 403}
    assert b"invented" not in response.content
    assert not AuditEntry.objects.filter(event=READ).exists()


def test_the_delivery_log_is_on_the_page(
    case: Escalation, signed_in: Callable[..., Client]
) -> None:
    services.notify_escalation(
        actor=system_actor("escalation"), escalation_id=str(case.pk), rung=0
    )
    page = reverse("admin:safety_escalation_change", args=[case.pk])

    shown = signed_in(Role.RESPONDER).get(page, secure=True).content.decode()

    assert "Delivery log" in shown
    assert "Taken by the channel" in shown
