"""Policies and escalations as rows, made through their services."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.accounts.permissions import system_actor
from apps.accounts.roles import Role
from apps.approvals.models import ApprovalRequest
from apps.approvals.services import sign
from apps.core.actors import Actor
from apps.safety import services
from apps.safety.contracts import RiskLevel
from apps.safety.models import Escalation, SafetyPolicy
from apps.safety.policy import default_document, default_policy
from apps.safety.selectors import forget_policies


@pytest.fixture(autouse=True)
def _no_policy_remembered() -> Iterator[None]:
    forget_policies()
    yield
    forget_policies()


@pytest.fixture
def operator(acting: Callable[..., Actor]) -> Actor:
    return acting("olga", Role.OPERATOR)


@pytest.fixture
def clinician(acting: Callable[..., Actor]) -> Actor:
    return acting("cleo", Role.CLINICIAN)


@pytest.fixture
def compliance(acting: Callable[..., Actor]) -> Actor:
    return acting("ciro", Role.COMPLIANCE)


@pytest.fixture
def responder(acting: Callable[..., Actor]) -> Actor:
    return acting("rana", Role.RESPONDER)


@pytest.fixture
def adopt(
    operator: Actor, clinician: Actor, compliance: Actor
) -> Callable[..., SafetyPolicy]:
    """Bring a new version of a policy into force the way people do."""

    def make(name: str = "default", document: object = None) -> SafetyPolicy:
        row = services.draft_policy(
            actor=operator, name=name, document=document or default_document()
        )
        services.submit_policy(actor=operator, policy_id=str(row.pk))
        request = ApprovalRequest.objects.get(subject_id=str(row.pk))
        for signer in (clinician, compliance):
            sign(
                actor=signer,
                request_id=str(request.pk),
                approve=True,
                meaning="I approve",
                reason="reviewed",
            )
        row.refresh_from_db()
        return row

    return make


@pytest.fixture
def opened(db: None) -> Callable[..., Escalation]:
    """Open an escalation as the inference path does."""

    def make(
        level: RiskLevel = RiskLevel.HIGH, correlation_id: uuid.UUID | None = None
    ) -> Escalation:
        return services.open_escalation(
            actor=system_actor("inference"),
            correlation_id=correlation_id or uuid.uuid4(),
            level=level,
            locale="en-US",
            reasons=["crisis.plan"],
            digest=services.text_digest("words that are not kept"),
            policy=default_policy(),
        )

    return make


@pytest.fixture
def signed_in(person: Callable[..., User]) -> Callable[..., Client]:
    def make(*roles: Role) -> Client:
        client = Client()
        client.force_login(
            person(f"staff-{'-'.join(roles)}", *roles),
            backend="django.contrib.auth.backends.ModelBackend",
        )
        return client

    return make
