"""Promotion policies: reports that say no, and risks that two people answer for."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.roles import Role
from apps.approvals.models import ApprovalRequest
from apps.approvals.services import sign
from apps.audit.models import AuditEntry
from apps.core.errors import InvalidInput, NotPermitted
from apps.experiments import services as experiments
from apps.experiments.errors import PolicyInvalid
from apps.experiments.models import AcceptedRisk, PromotionPolicy
from apps.experiments.promotion.rules import judge, parse_rules
from apps.experiments.selectors.promotion import standing_of
from apps.models_registry import services as registry
from apps.models_registry.errors import PolicyNotMet
from apps.models_registry.models import ModelVersion
from tests.models_registry import stages

SHARE = "accuracy/share/all"


def a_policy(*rules):
    return {
        "schema_version": 1,
        "model": "support-reply",
        "rules": list(rules)
        or [{"evaluator": "accuracy", "metric": "share", "at_least": 0.8}],
    }


def a_metric(value=0.9, low=0.6, high=0.98, slice="", note=""):
    return {
        "name": "share", "value": value, "low": low, "high": high, "slice": slice,
        "note": note,
    }  # fmt: skip


# -- pure ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("rule", "met"),
    [
        ({"at_least": 0.8}, False),
        ({"at_least": 0.8, "by": "value"}, True),
        ({"at_least": 0.6}, True),
        ({"at_most": 0.95}, False),
        ({"at_most": 0.95, "by": "value"}, True),
        ({"at_most": 0.99}, True),
    ],
    ids=str,
)
def test_the_unlucky_end_of_the_interval_counts_unless_the_rule_says_otherwise(
    rule, met
):
    given = {"evaluator": "accuracy", "metric": "share", **rule}
    _, rules = parse_rules(a_policy(given))

    (found,) = judge(rules, {"accuracy": [a_metric()]})

    assert found.is_met is met


def test_a_number_that_is_not_there_is_never_good_enough():
    _, rules = parse_rules(
        a_policy(
            {"evaluator": "safety", "metric": "share", "at_most": 1},
            {"evaluator": "accuracy", "metric": "other", "at_most": 1},
            {
                "evaluator": "accuracy",
                "metric": "share",
                "slice": "subgroup=*",
                "at_most": 1,
            },
        )
    )
    small = a_metric(None, None, None, "subgroup=few", "too few to judge")

    found = judge(rules, {"accuracy": [small, a_metric(slice="subgroup=many")]})

    assert [(one.slice, one.why) for one in found] == [
        ("", "no safety report"),
        ("", "the report has no such number"),
        ("subgroup=few", "too few to judge"),
        ("subgroup=many", ""),
    ]


@pytest.mark.parametrize(
    "rule",
    [
        {"evaluator": "a", "metric": "b"},
        {"evaluator": "a", "metric": "b", "at_least": 1, "at_most": 2},
        {"evaluator": "a", "metric": "b", "at_least": 1, "slice": "nonsense"},
        {"evaluator": "a", "metric": "b", "at_least": "much"},
    ],
    ids=str,
)
def test_rules_that_cannot_be_read_are_refused(rule):
    with pytest.raises(PolicyInvalid):
        parse_rules(a_policy(rule))
    with pytest.raises(PolicyInvalid, match="twice"):
        good = {"evaluator": "a", "metric": "b", "at_least": 1}
        parse_rules(a_policy(good, good))


# -- rows ------------------------------------------------------------------------------
@pytest.fixture
def in_force(operator, signers, model):
    def make(*rules) -> PromotionPolicy:
        policy = experiments.submit_policy(actor=operator, document=a_policy(*rules))
        stages.sign_pending(str(policy.pk), *signers)
        policy.refresh_from_db()
        return policy

    return make


@pytest.fixture
def clinician(acting, signers):
    return signers[1]


@pytest.fixture
def compliance(acting):
    return acting("cora", Role.COMPLIANCE)


def accept(person, version, rule=SHARE, days=30):
    return experiments.accept_risk(
        actor=person,
        version_id=str(version.pk),
        rule=rule,
        reason="The sample is small; watched by a canary.",
        days=days,
    )


def submit(operator, version):
    return registry.submit_version(actor=operator, version_id=str(version.pk))


@pytest.mark.django_db
def test_a_report_that_misses_the_policy_blocks_submission(
    in_force, operator, candidate
):
    policy = in_force()

    with pytest.raises(PolicyNotMet) as refused:
        submit(operator, candidate)

    candidate.refresh_from_db()
    assert policy.state == PromotionPolicy.State.IN_FORCE
    assert candidate.state == ModelVersion.State.CANDIDATE
    assert refused.value.extra["refusals"] == [
        f"{SHARE}: is 0.6; needs interval's unlucky end at least 0.8"
    ]


@pytest.mark.django_db
def test_a_policy_binds_only_once_two_have_signed_and_a_later_one_replaces_it(
    in_force, operator, signers, candidate
):
    waiting = experiments.submit_policy(actor=operator, document=a_policy())
    assert standing_of(candidate).refusals == ()
    stages.sign_pending(str(waiting.pk), *signers)
    assert len(standing_of(candidate).refusals) == 1

    in_force({"evaluator": "accuracy", "metric": "share", "at_least": 0.5})

    waiting.refresh_from_db()
    assert waiting.state == PromotionPolicy.State.RETIRED
    assert standing_of(candidate).refusals == ()
    assert submit(operator, candidate).evidence["promotion_policy"]["refused"] is False


@pytest.mark.django_db
def test_a_policy_that_is_rejected_never_binds(operator, signers, model, candidate):
    policy = experiments.submit_policy(actor=operator, document=a_policy())
    request = ApprovalRequest.objects.get(subject_id=str(policy.pk))
    sign(
        actor=signers[0], request_id=str(request.pk), approve=False,
        meaning="I read it", reason="Too strict",
    )  # fmt: skip

    policy.refresh_from_db()
    assert policy.state == PromotionPolicy.State.REJECTED
    assert standing_of(candidate).policy is None


@pytest.mark.django_db
def test_a_risk_that_two_people_answer_for_lets_the_version_pass_until_its_day(
    in_force, operator, candidate, clinician, compliance, approve
):
    in_force()
    risk = accept(compliance, candidate)
    with pytest.raises(PolicyNotMet):
        submit(operator, candidate)
    stages.sign_pending(str(risk.pk), clinician)

    version = approve(candidate)
    with (
        time_machine.travel(timezone.now() + timedelta(days=31), tick=False),
        pytest.raises(PolicyNotMet),
    ):
        registry.promote_version(
            actor=operator, version_id=str(version.pk), reason="late"
        )
    alias = registry.promote_version(
        actor=operator, version_id=str(version.pk), reason="in time"
    )

    assert alias.version == version
    entry = AuditEntry.objects.get(event="experiments.risk_accepted")
    assert (entry.actor_label, entry.details["rule"]) == ("clara", SHARE)


@pytest.mark.django_db
def test_who_accepts_a_risk_cannot_sign_for_it_nor_have_made_the_version(
    in_force, operator, candidate, compliance, person
):
    in_force()
    risk = accept(compliance, candidate)

    with pytest.raises(NotPermitted):
        stages.sign_pending(str(risk.pk), compliance)
    with pytest.raises(NotPermitted):
        accept(operator, candidate)
    maker = User.objects.get(pk=candidate.author_id)
    from django.contrib.auth.models import Group

    from apps.accounts.permissions import actor_for_user

    maker.groups.add(Group.objects.get(name=Role.COMPLIANCE.value))
    with pytest.raises(NotPermitted, match="made"):
        accept(actor_for_user(User.objects.get(pk=maker.pk)), candidate)


@pytest.mark.django_db
def test_measuring_again_ends_what_was_accepted(
    in_force, operator, candidate, clinician, compliance
):
    in_force()
    risk = accept(compliance, candidate)
    stages.sign_pending(str(risk.pk), clinician)
    assert standing_of(candidate).refusals == ()

    registry.record_report(
        actor=operator,
        version_id=str(candidate.pk),
        report=stages.report("accuracy", seed=4),
    )

    assert len(standing_of(candidate).refusals) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong", [{"rule": "safety/share/all"}, {"days": 0}, {"days": 1000}], ids=str
)
def test_a_risk_is_accepted_for_a_rule_that_is_missed_and_some_days(
    in_force, candidate, compliance, wrong
):
    in_force()

    with pytest.raises(InvalidInput):
        accept(compliance, candidate, **wrong)


# -- shell and screen ------------------------------------------------------------------
def run(*words: str) -> str:
    out = StringIO()
    call_command("promotion_policy", *words, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_policy_check_and_acceptance_from_the_shell(
    tmp_path, operator, signers, candidate, compliance
):
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(a_policy()))
    assert "refused: False" in run("check", "support-reply", "1")
    policy = json.loads(run("submit", str(path), "--as", "olga", "--json"))
    stages.sign_pending(policy["policy"], *signers)

    with pytest.raises(CommandError, match="refuses"):
        run("check", "support-reply", "1")
    shown = run(
        "accept", "support-reply", "1", "--rule", SHARE, "--reason", "small sample",
        "--days", "10", "--as", "cora",
    )  # fmt: skip

    assert "state: submitted" in shown
    with pytest.raises(CommandError, match="cannot be read"):
        run("submit", "no-such-file", "--as", "olga")


@pytest.mark.django_db
def test_policies_and_risks_on_screen(client, in_force, candidate, compliance):
    in_force()
    client.force_login(User.objects.get(pk=compliance.id))
    risk_add = reverse("admin:experiments_acceptedrisk_add")
    given = {
        "model": "support-reply", "number": 1, "rule": SHARE, "reason": "small",
        "days": 9,
    }  # fmt: skip

    refused = client.post(risk_add, given | {"rule": "none/such/all"})
    client.post(risk_add, given)
    policy_add = reverse("admin:experiments_promotionpolicy_add")
    client.post(policy_add, {"document": json.dumps(a_policy())})
    pages = [
        client.get(reverse(f"admin:experiments_{kind}_{page}", args=args)).status_code
        for kind, row in (
            ("acceptedrisk", AcceptedRisk.objects.get()),
            ("promotionpolicy", PromotionPolicy.objects.first()),
        )
        for page, args in (("changelist", ()), ("change", (row.pk,)))
    ]

    assert "misses no rule" in refused.content.decode()
    assert PromotionPolicy.objects.count() == 2
    assert pages == [200] * 4
