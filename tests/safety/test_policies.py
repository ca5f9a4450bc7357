"""From draft to in force: who may, in which order, and what the database refuses."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.permissions import system_actor
from apps.approvals.models import ApprovalRequest
from apps.approvals.services import sign, withdraw_request
from apps.audit.models import AuditEntry
from apps.core.actors import Actor
from apps.core.errors import NotFound, NotPermitted
from apps.safety import services
from apps.safety.errors import PolicyInvalid, PolicyMissing, PolicyState
from apps.safety.models import SafetyPolicy
from apps.safety.policy import default_document
from apps.safety.selectors import policy_in_force
from apps.safety.subjects import SafetyPolicySubject

Adopt = Callable[..., SafetyPolicy]


def stricter() -> dict[str, Any]:
    document = deepcopy(default_document())
    document["gates"][0]["thresholds"]["input"]["escalate"] = 0.4
    return document


def draft(operator: Actor, name: str = "default") -> SafetyPolicy:
    return services.draft_policy(actor=operator, name=name, document=default_document())


def vote(signer: Actor, row: SafetyPolicy, approve: bool = True) -> None:
    request = ApprovalRequest.objects.get(subject_id=str(row.pk), state="pending")
    sign(
        actor=signer,
        request_id=str(request.pk),
        approve=approve,
        meaning="I have read it",
        reason="because",
    )


def test_without_a_policy_in_force_there_is_none(db: None) -> None:
    with pytest.raises(PolicyMissing, match="default"):
        policy_in_force()


def test_two_signatures_bring_a_policy_into_force(adopt: Adopt) -> None:
    row = adopt()

    assert row.has_started(timezone.now())
    assert row.approved_at is not None
    assert policy_in_force().digest == row.digest
    assert policy_in_force("default").version == 1


def test_one_signature_does_not(operator: Actor, clinician: Actor) -> None:
    row = draft(operator)
    services.submit_policy(actor=operator, policy_id=str(row.pk))

    vote(clinician, row)

    with pytest.raises(PolicyMissing):
        policy_in_force()


def test_a_new_version_retires_the_one_before(adopt: Adopt) -> None:
    first = adopt()
    second = adopt(document=stricter())

    first.refresh_from_db()
    assert first.state == SafetyPolicy.State.RETIRED
    assert (second.version, policy_in_force().version) == (2, 2)


def test_a_policy_of_another_name_stands_beside(adopt: Adopt) -> None:
    adopt()
    adopt("youth", stricter())

    assert policy_in_force("youth").digest != policy_in_force("default").digest


def test_the_policy_read_last_is_held_only_as_long_as_set(
    adopt: Adopt, settings: Any
) -> None:
    settings.PE_POLICY_CACHE_S = 60.0
    row = adopt()
    policy_in_force()

    SafetyPolicy.objects.filter(pk=row.pk).update(
        state="retired", retired_at=timezone.now(), retired_by=row.author
    )

    assert policy_in_force().digest == row.digest


@pytest.mark.django_db(transaction=True)
def test_retiring_is_seen_at_once_by_the_process_that_did_it(
    adopt: Adopt, operator: Actor, settings: Any
) -> None:
    settings.PE_POLICY_CACHE_S = 60.0
    row = adopt()
    policy_in_force()

    services.retire_policy(actor=operator, policy_id=str(row.pk))

    with pytest.raises(PolicyMissing):
        policy_in_force()


def test_a_document_changed_behind_its_signatures_is_not_in_force(adopt: Adopt) -> None:
    row = adopt()
    SafetyPolicy.objects.filter(pk=row.pk).update(
        document=stricter(), digest=row.digest.replace("sha256:", "sha256:0")[:71]
    )

    with pytest.raises(PolicyMissing, match="not the document that was signed"):
        policy_in_force()


def test_changing_the_document_after_submission_voids_the_request(
    operator: Actor, clinician: Actor
) -> None:
    from apps.approvals.errors import SubjectChanged

    row = draft(operator)
    services.submit_policy(actor=operator, policy_id=str(row.pk))
    SafetyPolicy.objects.filter(pk=row.pk).update(document=stricter())

    with pytest.raises(SubjectChanged):
        vote(clinician, row)

    row.refresh_from_db()
    assert row.state == SafetyPolicy.State.DRAFT


def test_adopting_without_signatures_is_refused(operator: Actor) -> None:
    from apps.approvals.errors import NotApproved

    row = draft(operator)
    services.submit_policy(actor=operator, policy_id=str(row.pk))

    with pytest.raises(NotApproved):
        services.adopt_policy(actor=operator, policy_id=str(row.pk))


def test_a_rejected_policy_is_a_draft_again(operator: Actor, clinician: Actor) -> None:
    row = draft(operator)
    services.submit_policy(actor=operator, policy_id=str(row.pk))

    vote(clinician, row, approve=False)

    row.refresh_from_db()
    assert row.state == SafetyPolicy.State.DRAFT


def test_a_withdrawn_policy_is_a_draft_again(operator: Actor) -> None:
    row = draft(operator)
    services.submit_policy(actor=operator, policy_id=str(row.pk))
    request = ApprovalRequest.objects.get(subject_id=str(row.pk))

    withdraw_request(actor=operator, request_id=str(request.pk))

    row.refresh_from_db()
    assert row.state == SafetyPolicy.State.DRAFT


def test_every_step_is_audited(adopt: Adopt, operator: Actor) -> None:
    row = adopt()
    services.retire_policy(actor=operator, policy_id=str(row.pk))

    events = AuditEntry.objects.filter(
        subject_id=str(row.pk), event__startswith="safety."
    ).order_by("sequence")
    assert [entry.event for entry in events] == [
        "safety.policy_drafted",
        "safety.policy_submitted",
        "safety.policy_adopted",
        "safety.policy_retired",
    ]


def test_a_responder_may_neither_draft_nor_submit_nor_retire(
    operator: Actor, responder: Actor
) -> None:
    row = draft(operator)

    with pytest.raises(NotPermitted):
        draft(responder)
    with pytest.raises(NotPermitted):
        services.submit_policy(actor=responder, policy_id=str(row.pk))
    with pytest.raises(NotPermitted):
        services.retire_policy(actor=responder, policy_id=str(row.pk))


def test_a_program_may_not_draft(db: None) -> None:
    with pytest.raises(NotPermitted):
        draft(system_actor("inference"))


@pytest.mark.parametrize("name", ["", "with space", "ünïcode", "a/b"])
def test_a_name_that_is_no_slug_is_refused(operator: Actor, name: str) -> None:
    with pytest.raises(PolicyInvalid):
        draft(operator, name)


def test_a_submitted_policy_cannot_be_submitted_or_retired(operator: Actor) -> None:
    row = draft(operator)
    services.submit_policy(actor=operator, policy_id=str(row.pk))

    with pytest.raises(PolicyState):
        services.submit_policy(actor=operator, policy_id=str(row.pk))
    with pytest.raises(PolicyState):
        services.retire_policy(actor=operator, policy_id=str(row.pk))


@pytest.mark.parametrize("policy_id", ["00000000-0000-4000-8000-000000000000"])
def test_an_unknown_policy_is_not_found(operator: Actor, policy_id: str) -> None:
    with pytest.raises(NotFound):
        services.submit_policy(actor=operator, policy_id=policy_id)
    with pytest.raises(NotFound):
        SafetyPolicySubject().facts(policy_id)


def test_screen_text_uses_the_policy_in_force(
    adopt: Adopt, tmp_path: Any, capsys: Any
) -> None:
    import json

    from django.core.management import call_command

    document = deepcopy(default_document())
    document["gates"][2]["thresholds"]["input"]["mask"] = 0.99
    adopt("lenient", document)
    source, out = tmp_path / "in", tmp_path / "out"
    source.write_text('{"text": "mail ana@example.org"}\n')

    call_command("screen_text", input=source, output=out, policy="lenient")

    line = json.loads(out.read_text())
    assert line["decision"] == "allow"
    assert line["gates"]["privacy"]["threshold"] == 0.99
    assert "default document" not in capsys.readouterr().err


CONSTRAINTS: dict[str, dict[str, object]] = {
    "safetypolicy_version_positive": {"version": 0},
    "safetypolicy_approved_when": {"state": "approved"},
    "safetypolicy_starts_once_approved": {"starts_at": timezone.now()},
    "safetypolicy_retired_who_and_when": {"state": "retired"},
}


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_the_database_refuses(operator: Actor, name: str) -> None:
    row = draft(operator)

    with pytest.raises(IntegrityError), transaction.atomic():
        SafetyPolicy.objects.filter(pk=row.pk).update(**CONSTRAINTS[name])


def test_the_database_refuses_a_version_twice(operator: Actor) -> None:
    row = draft(operator)

    with pytest.raises(IntegrityError), transaction.atomic():
        SafetyPolicy.objects.create(
            name=row.name,
            version=row.version,
            document={},
            digest="x",
            author=User.objects.get(pk=operator.id),
        )


def test_the_database_refuses_two_that_start_at_once(
    adopt: Adopt, operator: Actor
) -> None:
    first = adopt()
    row = draft(operator)

    with pytest.raises(IntegrityError), transaction.atomic():
        SafetyPolicy.objects.filter(pk=row.pk).update(
            state="approved", approved_at=first.starts_at, starts_at=first.starts_at
        )
