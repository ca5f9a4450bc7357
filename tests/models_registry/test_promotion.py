"""Nothing serves that was not signed for as it stands, by two people."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.roles import Role
from apps.approvals.errors import NotApproved, SubjectChanged
from apps.approvals.models import ApprovalRequest
from apps.approvals.services import sign, withdraw_request
from apps.audit.models import AuditEntry
from apps.core.errors import InvalidInput, NotFound, NotPermitted, StateConflict
from apps.models_registry import selectors, services
from apps.models_registry.errors import (
    NothingToRollBackTo,
    ReportsMissing,
    VersionSealed,
)
from apps.models_registry.models import AliasChange, ModelAlias, ModelVersion
from tests.models_registry import stages

pytestmark = pytest.mark.django_db
State = ModelVersion.State


def promote(operator, version, reason="better"):
    return services.promote_version(
        actor=operator, version_id=str(version.pk), reason=reason
    )


def pending(version):
    return ApprovalRequest.objects.get(subject_id=str(version.pk), state="pending")


def test_two_signatures_approve_and_promotion_moves_the_alias(
    operator, candidate, approve
):
    version = approve(candidate)
    alias = promote(operator, version)

    assert version.state == State.APPROVED
    assert alias.version == version
    served = selectors.approved_version_for_alias("support-reply")
    assert served.digest == selectors.version_digest(version)
    change = AliasChange.objects.get()
    assert (change.from_version, change.to_version) == (None, version)
    assert AuditEntry.objects.filter(event="models_registry.version_promoted").exists()


def test_promoting_what_is_there_already_changes_nothing(operator, candidate, approve):
    version = approve(candidate)
    promote(operator, version)
    promote(operator, version)

    assert AliasChange.objects.count() == 1


def test_a_version_without_reports_is_not_submitted(operator, trained):
    services.record_report(
        actor=operator, version_id=str(trained.pk), report=stages.report("accuracy")
    )

    with pytest.raises(ReportsMissing, match="fairness, safety"):
        services.submit_version(actor=operator, version_id=str(trained.pk))


def test_a_version_without_a_card_is_not_submitted(operator, candidate):
    services.describe_version(actor=operator, version_id=str(candidate.pk), card="")

    with pytest.raises(InvalidInput, match="card"):
        services.submit_version(actor=operator, version_id=str(candidate.pk))


def test_an_unapproved_version_is_not_promoted(operator, candidate):
    with pytest.raises(NotApproved):
        promote(operator, candidate)

    services.submit_version(actor=operator, version_id=str(candidate.pk))
    with pytest.raises(NotApproved):
        promote(operator, candidate)
    assert not ModelAlias.objects.exists()


def test_one_signature_is_not_enough(operator, candidate, signers):
    services.submit_version(actor=operator, version_id=str(candidate.pk))
    stages.sign_pending(str(candidate.pk), signers[0])

    candidate.refresh_from_db()
    assert candidate.state == State.SUBMITTED
    with pytest.raises(NotApproved):
        promote(operator, candidate)


def test_the_author_never_signs_not_even_as_superuser(person, operator, candidate):
    from apps.accounts.permissions import actor_for_user

    author = candidate.author
    author.is_superuser = True
    author.save()
    author.groups.set(person("x", Role.CLINICIAN).groups.all())
    services.submit_version(actor=operator, version_id=str(candidate.pk))

    with pytest.raises(NotPermitted, match="made this"):
        sign(
            actor=actor_for_user(type(author).objects.get(pk=author.pk)),
            request_id=str(pending(candidate).pk),
            approve=True,
            meaning="m",
            reason="r",
        )


@pytest.mark.parametrize(
    "change",
    [
        lambda operator, pk: services.describe_version(
            actor=operator, version_id=pk, card="Other words."
        ),
        lambda operator, pk: services.record_report(
            actor=operator, version_id=pk, report=stages.report("accuracy", seed=99)
        ),
    ],
)
def test_a_change_under_way_voids_the_sign_offs(operator, candidate, signers, change):
    services.submit_version(actor=operator, version_id=str(candidate.pk))
    stages.sign_pending(str(candidate.pk), signers[0])
    request = pending(candidate)

    change(operator, str(candidate.pk))

    request.refresh_from_db()
    candidate.refresh_from_db()
    assert request.state == ApprovalRequest.State.VOID
    assert candidate.state == State.CANDIDATE


def test_what_was_approved_cannot_change_in_place(operator, candidate, approve):
    approve(candidate)

    with pytest.raises(VersionSealed):
        services.describe_version(
            actor=operator, version_id=str(candidate.pk), card="Better words."
        )
    with pytest.raises(VersionSealed):
        services.record_report(
            actor=operator,
            version_id=str(candidate.pk),
            report=stages.report("accuracy", seed=5),
        )


def test_an_approval_does_not_cover_a_changed_version(operator, candidate, approve):
    version_id = str(approve(candidate).pk)
    services.reopen_version(actor=operator, version_id=version_id)
    services.describe_version(actor=operator, version_id=version_id, card="Changed.")

    with pytest.raises(NotApproved):
        promote(operator, candidate)


def test_a_row_changed_behind_the_services_is_not_served(operator, candidate, approve):
    promote(operator, approve(candidate))
    ModelVersion.objects.filter(pk=candidate.pk).update(card="Tampered.")

    with pytest.raises(NotApproved):
        selectors.approved_version_for_alias("support-reply")
    with pytest.raises(NotApproved):
        selectors.approved_version_numbered("support-reply", 1)


def test_signing_for_what_changed_behind_the_services_is_refused(
    operator, candidate, signers
):
    services.submit_version(actor=operator, version_id=str(candidate.pk))
    request = pending(candidate)
    ModelVersion.objects.filter(pk=candidate.pk).update(card="Tampered.")

    with pytest.raises(SubjectChanged):
        sign(
            actor=signers[0],
            request_id=str(request.pk),
            approve=True,
            meaning="m",
            reason="r",
        )


def test_one_rejection_rejects(operator, candidate, signers):
    services.submit_version(actor=operator, version_id=str(candidate.pk))
    sign(
        actor=signers[0],
        request_id=str(pending(candidate).pk),
        approve=False,
        meaning="I read the report",
        reason="The gap is too wide",
    )

    candidate.refresh_from_db()
    assert candidate.state == State.REJECTED


def test_a_withdrawn_request_leaves_a_candidate(operator, candidate):
    services.submit_version(actor=operator, version_id=str(candidate.pk))

    withdraw_request(actor=operator, request_id=str(pending(candidate).pk))

    candidate.refresh_from_db()
    assert candidate.state == State.CANDIDATE


def test_rolling_back_is_the_same_move(operator, candidate, approve, train_another):
    first = approve(candidate)
    second = approve(train_another(12))
    before = timezone.now()
    promote(operator, first)
    between = timezone.now()
    promote(operator, second)
    after = timezone.now()

    alias = services.rollback_alias(
        actor=operator, model_name="support-reply", reason="worse at night"
    )

    assert alias.version == first
    assert AliasChange.objects.filter(is_rollback=True).count() == 1
    at = selectors.version_in_production_at
    assert at("support-reply", before - timedelta(seconds=1)) is None
    assert at("support-reply", between) == first
    assert at("support-reply", after) == second
    assert at("support-reply", timezone.now()) == first
    with pytest.raises(NothingToRollBackTo):
        services.rollback_alias(
            actor=operator, model_name="support-reply", reason="further"
        )


def test_there_is_nothing_to_roll_back_to_before_a_promotion(operator, model):
    with pytest.raises(NothingToRollBackTo):
        services.rollback_alias(actor=operator, model_name=model.name, reason="why not")


def test_an_alias_moves_with_a_reason(operator, candidate, approve):
    with pytest.raises(InvalidInput, match="Say why"):
        promote(operator, approve(candidate), reason=" ")


def test_a_retired_version_serves_no_more(operator, candidate, approve):
    version = approve(candidate)
    services.retire_version(actor=operator, version_id=str(version.pk))

    with pytest.raises(StateConflict, match="retired"):
        promote(operator, version)


@pytest.mark.parametrize("service", ["retire_version", "reopen_version"])
def test_what_an_alias_points_at_stays(operator, candidate, approve, service):
    promote(operator, approve(candidate))

    with pytest.raises(StateConflict, match="production"):
        getattr(services, service)(actor=operator, version_id=str(candidate.pk))


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.CLINICIAN, Role.COMPLIANCE])
def test_those_who_sign_do_not_promote(acting, candidate, approve, role):
    approve(candidate)

    with pytest.raises(NotPermitted):
        promote(acting("sam", role), candidate)


def test_a_report_that_does_not_repeat_itself_is_refused(operator, candidate):
    other = stages.report("accuracy", metrics=())
    with pytest.raises(InvalidInput, match="no metric"):
        services.record_report(
            actor=operator, version_id=str(candidate.pk), report=other
        )

    from dataclasses import replace

    said = stages.report("accuracy")
    changed = replace(said, metrics=(replace(said.metrics[0], value=0.1),))
    with pytest.raises(StateConflict, match="does not repeat itself"):
        services.record_report(
            actor=operator, version_id=str(candidate.pk), report=changed
        )


def test_lineage_runs_both_ways(candidate, messages, replies):
    lineage = selectors.lineage_of(selectors.version_by_id(str(candidate.pk)))

    assert lineage.datasets == {"messages": messages.digest, "replies": replies.digest}
    assert list(selectors.versions_from_dataset(messages.digest)) == [candidate]
    assert [m.digest for m in selectors.manifests_from_dataset(replies.digest)] == [
        lineage.manifest_digest
    ]


@pytest.mark.parametrize(
    "read",
    [
        lambda: selectors.version_for_alias("nothing"),
        lambda: selectors.version_numbered("nothing", 1),
        lambda: selectors.version_by_id(stages.UNKNOWN_ID),
        lambda: selectors.run_by_id(stages.UNKNOWN_ID),
        lambda: selectors.model_named("nothing"),
    ],
)
def test_what_is_not_there_is_not_found(read):
    with pytest.raises(NotFound):
        read()


def test_an_evaluation_is_sent_to_its_queue(
    operator, trained, sent, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        services.request_evaluation(actor=operator, version_id=str(trained.pk))

    assert sent == [("experiments.evaluate_required", [str(trained.pk)], "evaluation")]
