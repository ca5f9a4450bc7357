"""The screens: each step is one service call, a refusal is a message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.roles import Role
from apps.core.actors import Actor
from apps.safety import services
from apps.safety.models import Escalation, SafetyPolicy
from apps.safety.policy import default_document
from apps.safety.subjects import SafetyPolicySubject

Opened = Callable[..., Escalation]


def page(row: SafetyPolicy | Escalation) -> str:
    return reverse(f"admin:safety_{row._meta.model_name}_change", args=[row.pk])


def step(client: Client, row: SafetyPolicy | Escalation, verb: str, **data: Any) -> str:
    url = reverse(f"admin:safety_{row._meta.model_name}_step", args=[row.pk, verb])
    return client.post(url, data, follow=True, secure=True).content.decode()


def draft(actor: Actor) -> SafetyPolicy:
    return services.draft_policy(
        actor=actor, name="default", document=default_document()
    )


def test_an_operator_drafts_and_submits_on_the_screen(
    signed_in: Callable[..., Client],
) -> None:
    client = signed_in(Role.OPERATOR)
    add = reverse("admin:safety_safetypolicy_add")
    form = client.get(add, secure=True).context["form"]

    client.post(
        add,
        {"name": "default", "document": form["document"].value()},
        secure=True,
    )
    row = SafetyPolicy.objects.get()
    told = step(client, row, "submit", reason="first policy")

    row.refresh_from_db()
    assert row.state == SafetyPolicy.State.SUBMITTED
    assert "a clinician and a compliance officer have to sign" in told


def test_a_document_that_is_refused_says_why(
    signed_in: Callable[..., Client],
) -> None:
    told = signed_in(Role.OPERATOR).post(
        reverse("admin:safety_safetypolicy_add"),
        {"name": "default", "document": '{"schema": 1}'},
        secure=True,
    )

    assert "is a required property" in told.content.decode()
    assert not SafetyPolicy.objects.exists()


def test_a_step_that_the_state_forbids_is_a_message(
    signed_in: Callable[..., Client], operator: Actor
) -> None:
    row = draft(operator)
    services.submit_policy(actor=operator, policy_id=str(row.pk))

    told = step(signed_in(Role.OPERATOR), row, "retire")

    assert "withdraw its request first" in told


def test_retiring_on_the_screen(
    signed_in: Callable[..., Client], operator: Actor
) -> None:
    row = draft(operator)

    step(signed_in(Role.OPERATOR), row, "retire")

    row.refresh_from_db()
    assert row.state == SafetyPolicy.State.RETIRED


def test_a_reviewer_sees_a_policy_and_no_step(
    signed_in: Callable[..., Client], operator: Actor
) -> None:
    client, row = signed_in(Role.REVIEWER), draft(operator)

    seen = client.get(page(row), secure=True)

    assert seen.status_code == 200
    assert "Submit for approval" not in seen.content.decode()
    assert "needs the permission" in step(client, row, "submit", reason="x")
    assert (
        client.get(reverse("admin:safety_safetypolicy_add"), secure=True).status_code
        == 403
    )


def test_a_responder_takes_hands_over_and_closes_a_case(
    signed_in: Callable[..., Client], opened: Opened, clinician: Actor
) -> None:
    client, row = signed_in(Role.RESPONDER), opened()
    assert "Acknowledge" in client.get(page(row), secure=True).content.decode()

    step(client, row, "acknowledge")
    step(client, row, "reassign", responder=clinician.id)
    told = step(client, row, "resolve", disposition="referred")

    row.refresh_from_db()
    assert row.disposition == "referred"
    assert str(row.assigned_to_id) == clinician.id
    assert "Resolved." in told


def test_resolving_without_a_disposition_is_refused(
    signed_in: Callable[..., Client], opened: Opened, responder: Actor
) -> None:
    row = opened()
    services.acknowledge_escalation(actor=responder, escalation_id=str(row.pk))

    told = step(signed_in(Role.RESPONDER), row, "resolve")

    row.refresh_from_db()
    assert "Fill in what this step needs" in told
    assert row.state == Escalation.State.ACKNOWLEDGED


def test_acknowledging_many_at_once_reports_each(
    signed_in: Callable[..., Client], opened: Opened, responder: Actor
) -> None:
    mine, taken = opened(), opened()
    services.acknowledge_escalation(actor=responder, escalation_id=str(taken.pk))

    told = signed_in(Role.RESPONDER).post(
        reverse("admin:safety_escalation_changelist"),
        {
            "action": "acknowledge_escalations",
            "_selected_action": [str(mine.pk), str(taken.pk)],
        },
        follow=True,
        secure=True,
    )

    text = told.content.decode()
    assert f"{mine.pk} is yours" in text
    assert "the step needs one that is open" in text


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.REVIEWER])
def test_who_does_not_answer_crises_does_not_see_them(
    signed_in: Callable[..., Client], opened: Opened, role: Role
) -> None:
    assert signed_in(role).get(page(opened()), secure=True).status_code in {302, 403}


def test_steps_are_post_only_and_unknown_ones_do_nothing(
    signed_in: Callable[..., Client], opened: Opened
) -> None:
    client, row = signed_in(Role.RESPONDER), opened()
    url = reverse("admin:safety_escalation_step", args=[row.pk, "acknowledge"])

    assert client.get(url, secure=True).status_code == 405
    step(client, row, "delete")
    row.refresh_from_db()
    assert row.is_open


def test_nothing_can_be_deleted(
    signed_in: Callable[..., Client], opened: Opened
) -> None:
    row = opened()
    url = reverse("admin:safety_escalation_delete", args=[row.pk])

    assert signed_in(Role.RESPONDER).post(url, secure=True).status_code == 403


@pytest.mark.parametrize("count", [1, 6])
def test_the_desk_asks_the_same_number_of_queries_for_any_length(
    signed_in: Callable[..., Client],
    opened: Opened,
    django_assert_max_num_queries: Any,
    count: int,
) -> None:
    client = signed_in(Role.RESPONDER)
    for _ in range(count):
        opened()

    with django_assert_max_num_queries(14):
        client.get(reverse("admin:safety_escalation_changelist"), secure=True)


def test_cases_that_wait_stand_before_those_that_are_over(
    signed_in: Callable[..., Client], opened: Opened, clinician: Actor
) -> None:
    over, taken, waiting = opened(), opened(), opened()
    for row in (over, taken):
        services.acknowledge_escalation(actor=clinician, escalation_id=str(row.pk))
    services.resolve_escalation(
        actor=clinician, escalation_id=str(over.pk), disposition="no_risk"
    )

    desk = signed_in(Role.RESPONDER).get(reverse("admin:safety_escalation_changelist"))

    shown = [row.pk for row in desk.context["cl"].result_list]
    assert shown == [waiting.pk, taken.pk, over.pk]


def test_a_draft_says_what_it_changes(
    signed_in: Callable[..., Client],
    adopt: Callable[..., SafetyPolicy],
    operator: Actor,
) -> None:
    in_force = adopt()
    document = {**default_document(), "escalation": {"acknowledge_minutes": {
        **default_document()["escalation"]["acknowledge_minutes"], "high": 8,
    }}}  # fmt: skip
    row = services.draft_policy(actor=operator, name="default", document=document)
    client = signed_in(Role.REVIEWER)

    assert "escalation / acknowledge_minutes / high" in (
        client.get(page(row)).content.decode()
    )
    assert "This version is in force." in client.get(page(in_force)).content.decode()


def test_what_a_draft_changes_is_evidence_for_those_who_sign(
    adopt: Callable[..., SafetyPolicy], operator: Actor
) -> None:
    first = SafetyPolicySubject().facts(
        str(services.draft_policy(
            actor=operator, name="default", document=default_document()
        ).pk)
    )  # fmt: skip
    adopt("youth")
    second = services.draft_policy(
        actor=operator, name="youth", document=default_document()
    )

    assert "No version" in str(first.evidence["changes"])
    assert SafetyPolicySubject().facts(str(second.pk)).evidence["changes"] == []
