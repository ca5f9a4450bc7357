"""Signing: four eyes for everyone, bound to content, decided once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import transaction

from apps.accounts.models import User
from apps.accounts.permissions import acting_user, actor_for_user
from apps.accounts.roles import Role
from apps.approvals.errors import (
    NotApproved,
    NotYourSignature,
    RequestClosed,
    SubjectChanged,
)
from apps.approvals.models import ApprovalRequest, SignOff
from apps.approvals.selectors import (
    approved_request,
    may_withdraw,
    pending_requests,
    require_approved,
    why_not_sign,
)
from apps.approvals.services import (
    expire_overdue_requests,
    request_approval,
    sign,
    void_if_changed,
    withdraw_request,
)
from apps.audit.models import AuditEntry
from apps.core.actors import Actor, ActorKind
from apps.core.errors import InvalidInput, NotFound, NotPermitted
from tests.approvals.subjects import LABEL, LETTERS, Letter

pytestmark = pytest.mark.django_db
State = ApprovalRequest.State


def _state(row):
    return ApprovalRequest.objects.get(pk=row.pk).state


def test_two_people_of_two_roles_approve(
    request_row, signing, reviewer, clinician, letter
):
    assert signing(reviewer).state == State.PENDING
    assert signing(clinician).state == State.APPROVED

    assert _state(request_row) == State.APPROVED
    assert letter.heard == ["approved"]
    assert require_approved(LABEL, "a").pk == request_row.pk
    events = list(
        AuditEntry.objects.filter(event__startswith="approvals.")
        .order_by("sequence")
        .values_list("event", flat=True)
    )
    assert events == [
        "approvals.requested",
        "approvals.signed",
        "approvals.signed",
        "approvals.approved",
    ]


def test_one_rejection_rejects(request_row, signing, reviewer, clinician, letter):
    signing(reviewer)

    signing(clinician, approve=False, reason="it diagnoses")

    assert _state(request_row) == State.REJECTED
    assert letter.heard == ["closed"]
    with pytest.raises(RequestClosed):
        signing(reviewer)


def test_author_is_excluded_whatever_they_hold(acting, letter, author):
    user = acting_user(author)
    user.groups.set(
        [*user.groups.all(), *acting_user(acting("x", Role.REVIEWER)).groups.all()]
    )
    row = request_approval(actor=author, subject_label=LABEL, subject_id="a")

    with pytest.raises(NotYourSignature, match="someone else"):
        sign(
            actor=actor_for_user(user),
            request_id=str(row.pk),
            approve=True,
            meaning="m",
            reason="r",
        )


def test_superuser_author_is_excluded_too(person):
    root = person("root", Role.REVIEWER, is_superuser=True)
    LETTERS["a"] = Letter(author_id=str(root.pk))
    row = request_approval(
        actor=actor_for_user(root), subject_label=LABEL, subject_id="a"
    )

    with pytest.raises(NotYourSignature):
        sign(
            actor=actor_for_user(root),
            request_id=str(row.pk),
            approve=True,
            meaning="m",
            reason="r",
        )


def test_superuser_without_an_eligible_role_does_not_sign(person, signing):
    root = actor_for_user(person("root", is_superuser=True))

    with pytest.raises(NotYourSignature, match="Only these roles"):
        signing(root)


def test_same_person_signs_once_even_with_two_roles(acting, request_row, signing):
    both = acting("bo", Role.REVIEWER, Role.CLINICIAN)
    signing(both)

    with pytest.raises(NotYourSignature, match="another person"):
        signing(both)


def test_same_role_signs_once(acting, signing, reviewer):
    signing(reviewer)

    with pytest.raises(NotYourSignature, match="another role"):
        signing(acting("rob", Role.REVIEWER))


def test_person_of_two_roles_signs_in_the_one_that_is_free(acting, signing, reviewer):
    signing(reviewer)

    signing(acting("bo", Role.REVIEWER, Role.CLINICIAN))

    assert set(SignOff.objects.values_list("role", flat=True)) == {
        "reviewer",
        "clinician",
    }


def test_operators_and_programs_do_not_sign(acting, signing):
    with pytest.raises(NotPermitted):
        signing(acting("oscar", Role.OPERATOR))
    with pytest.raises(NotPermitted):
        signing(
            Actor(
                ActorKind.API_KEY,
                "k",
                "key:k",
                permissions=frozenset({"approvals.sign_approvalrequest"}),
            )
        )


def test_roles_lost_since_log_in_do_not_sign(signing, reviewer):
    acting_user(reviewer).groups.clear()

    with pytest.raises(NotYourSignature):
        signing(reviewer)


@pytest.mark.parametrize(
    "said",
    [
        {"meaning": "  "},
        {"reason": ""},
        {"meaning": "x" * 201},
        {"reason": "x" * 4001},
        {"reason": "a\x00b"},
        {"reason": "lone \ud800 surrogate"},
    ],
)
def test_statement_that_cannot_be_kept_is_refused(signing, reviewer, said):
    with pytest.raises(InvalidInput):
        signing(reviewer, **said)

    assert not SignOff.objects.exists()


def test_change_voids_the_request_and_its_sign_offs(
    request_row, signing, reviewer, clinician, letter
):
    signing(reviewer)
    letter.text = "second draft"

    with pytest.raises(SubjectChanged):
        signing(clinician)

    assert _state(request_row) == State.VOID
    assert letter.heard == ["closed"]
    with pytest.raises(NotApproved):
        require_approved(LABEL, "a")


def test_change_after_approval_is_no_longer_approved(
    signing, reviewer, clinician, letter
):
    signing(reviewer)
    row = signing(clinician)
    letter.text = "second draft"

    with pytest.raises(NotApproved):
        require_approved(LABEL, "a")
    assert approved_request(LABEL, "a", row.subject_digest).pk == row.pk


def test_change_at_the_moment_of_approval_undoes_the_signature(
    request_row, signing, reviewer, clinician, letter
):
    signing(reviewer)
    letter.meanwhile = lambda: setattr(letter, "text", "slipped in")

    with pytest.raises(SubjectChanged):
        signing(clinician)

    assert _state(request_row) == State.PENDING
    assert SignOff.objects.count() == 1


def test_owner_voids_when_it_changes_its_row(author, request_row, letter):
    assert not void_if_changed(actor=author, subject_label=LABEL, subject_id="a")
    letter.text = "second draft"

    assert void_if_changed(actor=author, subject_label=LABEL, subject_id="a")
    assert _state(request_row) == State.VOID
    assert not void_if_changed(actor=author, subject_label=LABEL, subject_id="a")


def test_expired_request_cannot_be_signed_and_ends(reviewer, letter, author):
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        row = request_approval(actor=author, subject_label=LABEL, subject_id="a")
        clock.shift(timedelta(days=30))

        with pytest.raises(RequestClosed, match="expired"):
            sign(
                actor=reviewer,
                request_id=str(row.pk),
                approve=True,
                meaning="m",
                reason="r",
            )

    assert _state(row) == State.EXPIRED
    assert letter.heard == ["closed"]


def test_submitting_again_replaces_an_expired_request(letter, author):
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        first = request_approval(actor=author, subject_label=LABEL, subject_id="a")
        clock.shift(timedelta(days=30))

        second = request_approval(actor=author, subject_label=LABEL, subject_id="a")

    assert _state(first) == State.EXPIRED
    assert second.pk != first.pk
    assert letter.heard == []


def test_overdue_requests_are_swept_once(letter, author):
    sweeper = Actor(
        ActorKind.SYSTEM,
        "maintenance",
        "system:maintenance",
        permissions=frozenset({"approvals.expire_approvalrequest"}),
    )
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        request_approval(actor=author, subject_label=LABEL, subject_id="a")
        assert expire_overdue_requests(actor=sweeper) == 0
        clock.shift(timedelta(days=30))

        assert expire_overdue_requests(actor=sweeper) == 1
        assert expire_overdue_requests(actor=sweeper) == 0

    assert not pending_requests().exists()


def test_sweeping_needs_its_permission(reviewer):
    with pytest.raises(NotPermitted):
        expire_overdue_requests(actor=reviewer)


def test_sweep_task_acts_as_maintenance(db):
    from apps.approvals.tasks import expire_overdue

    assert expire_overdue() == 0


def test_submitting_twice_returns_the_pending_request(author, request_row):
    again = request_approval(actor=author, subject_label=LABEL, subject_id="a")

    assert again.pk == request_row.pk


def test_submitting_changed_content_voids_the_older_request(
    author, request_row, letter
):
    letter.text = "second draft"

    newer = request_approval(actor=author, subject_label=LABEL, subject_id="a")

    assert _state(request_row) == State.VOID
    assert newer.state == State.PENDING
    assert letter.heard == []


def test_requester_and_operators_withdraw_and_nobody_else(
    author, request_row, reviewer, acting, letter
):
    assert may_withdraw(request_row, author)
    assert not may_withdraw(request_row, reviewer)
    with pytest.raises(NotPermitted):
        withdraw_request(actor=reviewer, request_id=str(request_row.pk))

    row = withdraw_request(
        actor=acting("oscar", Role.OPERATOR), request_id=str(request_row.pk)
    )

    assert row.state == State.WITHDRAWN
    assert letter.heard == ["closed"]
    with pytest.raises(RequestClosed):
        withdraw_request(actor=author, request_id=str(request_row.pk))
    assert not may_withdraw(row, author)


def test_withdrawn_request_is_not_signed(request_row, author, signing, reviewer):
    withdraw_request(actor=author, request_id=str(request_row.pk))

    with pytest.raises(RequestClosed):
        signing(reviewer)


@pytest.mark.parametrize("request_id", ["", "7", "a-b", "0" * 32])
def test_unknown_requests_are_not_found(reviewer, request_id):
    with pytest.raises(NotFound):
        sign(
            actor=reviewer,
            request_id=request_id,
            approve=True,
            meaning="m",
            reason="r",
        )


def test_unknown_subjects_are_refused(author):
    with pytest.raises(InvalidInput, match=LABEL):
        request_approval(actor=author, subject_label="tests.poem", subject_id="a")
    with pytest.raises(NotFound):
        request_approval(actor=author, subject_label=LABEL, subject_id="zz")


def test_programs_do_not_submit(letter):
    with pytest.raises(NotPermitted):
        request_approval(
            actor=Actor(ActorKind.SYSTEM, "trainer", "system:trainer"),
            subject_label=LABEL,
            subject_id="a",
        )


@pytest.mark.django_db(transaction=True)
def test_signing_refuses_to_run_inside_another_transaction(signing, reviewer):
    with pytest.raises(RuntimeError), transaction.atomic():
        signing(reviewer)

    assert not SignOff.objects.exists()


def test_reason_for_the_screen_is_the_reason_of_the_service(
    request_row, signing, reviewer, author, acting
):
    assert why_not_sign(request_row, reviewer) == ""
    signing(reviewer)

    said = why_not_sign(request_row, reviewer)
    with pytest.raises(NotYourSignature) as refused:
        signing(reviewer)

    assert str(refused.value) == said
    assert "roles do not sign" in why_not_sign(request_row, author)
    request_row.state = State.APPROVED
    assert "approved" in why_not_sign(request_row, reviewer)


def test_rows_say_what_they_are(request_row, signing, reviewer):
    signing(reviewer)

    assert str(request_row) == "Letter a (pending)"
    assert str(SignOff.objects.get()).endswith("as reviewer")
    assert User.objects.get(username="rita").sign_offs.count() == 1
