"""What the database refuses by itself, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import threading

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from apps.accounts.permissions import acting_user
from apps.accounts.roles import Role
from apps.approvals.errors import NotYourSignature, RequestClosed
from apps.approvals.models import ApprovalRequest, SignOff
from apps.approvals.services import request_approval, sign
from apps.audit.selectors import verify_chains
from tests.approvals.subjects import LABEL, LETTERS

State = ApprovalRequest.State


def _sign_off(row, signer, **changed):
    fields = {
        "request": row,
        "signer": acting_user(signer),
        "author_id": row.author_id,
        "role": "reviewer",
        "outcome": "approve",
        "meaning": "m",
        "reason": "r",
        "subject_digest": row.subject_digest,
    }
    with transaction.atomic():
        return SignOff.objects.create(**(fields | changed))


@pytest.mark.django_db
class TestConstraints:
    def test_author_cannot_sign_even_past_the_service(self, request_row, author):
        with pytest.raises(IntegrityError, match="signoff_not_by_author"):
            _sign_off(request_row, author)

    def test_author_cannot_hide_behind_another_author(
        self, request_row, author, reviewer
    ):
        with pytest.raises(DatabaseError, match="author and digest"):
            _sign_off(request_row, author, author_id=int(reviewer.id))

    def test_sign_off_names_the_digest_that_was_submitted(self, request_row, reviewer):
        with pytest.raises(DatabaseError, match="author and digest"):
            _sign_off(request_row, reviewer, subject_digest="sha256:other")

    def test_closed_request_takes_no_sign_off(self, request_row, reviewer):
        ApprovalRequest.objects.update(state=State.VOID, decided_at=timezone.now())

        with pytest.raises(DatabaseError, match="pending request"):
            _sign_off(request_row, reviewer)

    def test_one_person_signs_once(self, request_row, reviewer):
        _sign_off(request_row, reviewer)

        with pytest.raises(IntegrityError):
            _sign_off(request_row, reviewer, role="clinician")

    def test_one_role_signs_once(self, request_row, reviewer, clinician):
        _sign_off(request_row, reviewer)

        with pytest.raises(IntegrityError):
            _sign_off(request_row, clinician)

    @pytest.mark.parametrize(
        ("changed", "constraint"),
        [
            ({"reason": ""}, "signoff_has_a_reason"),
            ({"meaning": ""}, "signoff_has_a_meaning"),
            ({"outcome": "maybe"}, "signoff_outcome_known"),
        ],
    )
    def test_sign_off_is_complete(self, request_row, reviewer, changed, constraint):
        with pytest.raises(IntegrityError, match=constraint):
            _sign_off(request_row, reviewer, **changed)

    @pytest.mark.parametrize("verb", ["UPDATE", "DELETE"])
    def test_sign_offs_are_final(self, request_row, reviewer, verb):
        _sign_off(request_row, reviewer)
        statement = {
            "UPDATE": "UPDATE approvals_signoff SET reason = 'other'",
            "DELETE": "DELETE FROM approvals_signoff",
        }[verb]

        with (
            pytest.raises(DatabaseError, match="changed or deleted"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

    @pytest.mark.parametrize(
        "values",
        [
            {"subject_digest": "sha256:other"},
            {"subject_id": "b"},
            {"quorum": 1},
            {"eligible_roles": ["operator"]},
            {"expires_at": timezone.now()},
        ],
    )
    def test_what_was_bound_stays_bound(self, request_row, values):
        with pytest.raises(DatabaseError, match="bound to"), transaction.atomic():
            ApprovalRequest.objects.update(**values)

    def test_author_of_a_request_stays(self, request_row, reviewer):
        with pytest.raises(DatabaseError, match="bound to"), transaction.atomic():
            ApprovalRequest.objects.update(author_id=int(reviewer.id))

    def test_requests_are_not_deleted(self, request_row):
        with pytest.raises(DatabaseError), transaction.atomic():
            ApprovalRequest.objects.all().delete()

    def test_closed_requests_stay_closed(self, request_row):
        ApprovalRequest.objects.update(state=State.REJECTED, decided_at=timezone.now())

        for state, decided_at in (("pending", None), ("approved", timezone.now())):
            with pytest.raises(DatabaseError), transaction.atomic():
                ApprovalRequest.objects.update(state=state, decided_at=decided_at)

    @pytest.mark.parametrize(
        ("changed", "constraint"),
        [
            ({}, "approval_one_pending_per_subject|UNIQUE"),
            ({"subject_id": "b", "quorum": 0}, "approval_quorum_positive"),
            ({"subject_id": "b", "state": "approved"}, "approval_decided_when_closed"),
            (
                {"subject_id": "b", "state": "lost", "decided_at": timezone.now()},
                "approval_state_known",
            ),
            ({"subject_id": "b", "subject_digest": ""}, "approval_bound_to_a_digest"),
        ],
    )
    def test_request_constraints(self, request_row, changed, constraint):
        fields = {
            field.attname: getattr(request_row, field.attname)
            for field in ApprovalRequest._meta.concrete_fields
            if field.attname != "id"
        }

        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            ApprovalRequest.objects.create(**(fields | changed))


def _at_once(*jobs):
    """Run each job in a thread of its own, all let go together; what each returned."""
    gate, outcomes = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(place, job):
        gate.wait()
        try:
            outcomes[place] = job()
        except (NotYourSignature, RequestClosed) as refused:
            outcomes[place] = refused
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=place_and_job)
        for place_and_job in enumerate(jobs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def _job(actor, row):
    return lambda: (
        sign(
            actor=actor, request_id=str(row.pk), approve=True, meaning="m", reason="r"
        ).state
    )


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_approvers_at_once_approve_exactly_once(
        self, request_row, reviewer, clinician, letter
    ):
        outcomes = _at_once(_job(reviewer, request_row), _job(clinician, request_row))

        assert sorted(outcomes) == ["approved", "pending"]
        assert letter.heard == ["approved"]
        assert SignOff.objects.count() == 2
        verify_chains()

    def test_one_role_at_once_signs_once(self, request_row, reviewer, acting):
        rob = acting("rob", Role.REVIEWER)

        outcomes = _at_once(_job(reviewer, request_row), _job(rob, request_row))

        assert [type(outcome) for outcome in outcomes].count(NotYourSignature) == 1
        assert SignOff.objects.count() == 1

    def test_third_signature_at_once_meets_a_closed_request(
        self, request_row, reviewer, clinician, acting, letter
    ):
        cora = acting("cora", Role.COMPLIANCE)

        outcomes = _at_once(
            *(_job(actor, request_row) for actor in (reviewer, clinician, cora))
        )

        assert [type(outcome) for outcome in outcomes].count(RequestClosed) == 1
        assert letter.heard == ["approved"]
        assert SignOff.objects.count() == 2

    def test_two_submissions_at_once_open_one_request(self, letter, author, acting):
        oscar = acting("oscar", Role.OPERATOR)

        def submit(actor):
            return lambda: (
                request_approval(actor=actor, subject_label=LABEL, subject_id="a").pk
            )

        outcomes = _at_once(submit(author), submit(oscar))

        assert ApprovalRequest.objects.count() == 1
        row = ApprovalRequest.objects.get()
        assert all(
            outcome == row.pk or isinstance(outcome, RequestClosed)
            for outcome in outcomes
        )
        assert LETTERS["a"].heard == []
