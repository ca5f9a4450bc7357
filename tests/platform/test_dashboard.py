"""The landing page: each role sees what it may view, and nothing else."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Tier, User
from apps.accounts.permissions import actor_for_user, system_actor
from apps.accounts.roles import Role
from apps.accounts.services import issue_key, sync_tiers
from apps.approvals.models import ApprovalRequest
from apps.audit.models import AuditChain, AuditEntry
from apps.audit.services import record_event
from apps.core.actors import Subject
from apps.safety import services as safety
from apps.safety.contracts import RiskLevel
from apps.safety.models import Escalation
from apps.safety.policy import default_document, default_policy

pytestmark = pytest.mark.django_db
ALL_BUT_RESPONDER = {Role.OPERATOR, Role.REVIEWER, Role.CLINICIAN, Role.COMPLIANCE}
# What the template is given, and who may view it.
CARDS = {
    "escalations": {Role.CLINICIAN, Role.COMPLIANCE, Role.RESPONDER},
    "aliases": ALL_BUT_RESPONDER,
    "runs": ALL_BUT_RESPONDER,
    "chains": {Role.COMPLIANCE},
}


@pytest.fixture
def browser(person):
    def make(name, *held, **fields):
        client = Client()
        client.force_login(
            person(name, *held, **fields), "django.contrib.auth.backends.ModelBackend"
        )
        return client

    return make


@pytest.fixture
def case(roles) -> Escalation:
    return safety.open_escalation(
        actor=system_actor("inference"),
        correlation_id=uuid.uuid4(),
        level=RiskLevel.HIGH,
        locale="en-US",
        reasons=["crisis.plan"],
        digest=safety.text_digest("words that are not kept"),
        policy=default_policy(),
    )


@pytest.fixture
def submitted(acting):
    def make(name="default"):
        author = acting(f"olga-{name}", Role.OPERATOR)
        row = safety.draft_policy(actor=author, name=name, document=default_document())
        return safety.submit_policy(actor=author, policy_id=str(row.pk))

    return make


@pytest.mark.parametrize("role", list(Role))
def test_a_role_sees_its_cards_and_no_other(browser, role) -> None:
    page = browser("someone", role).get(reverse("admin:index"))

    assert page.status_code == 200
    for card, roles_that_see_it in CARDS.items():
        assert (card in page.context) is (role in roles_that_see_it), card


def test_staff_without_a_role_see_no_rows(browser, case, submitted) -> None:
    submitted()

    page = browser("nobody").get(reverse("admin:index"))

    assert page.context["waiting"] == []
    assert not [card for card in CARDS if card in page.context]
    assert str(case.pk) not in page.content.decode()


def test_a_signer_is_told_that_they_are_waited_for(browser, submitted) -> None:
    submitted()

    page = browser("cleo", Role.CLINICIAN).get(reverse("admin:index"))

    assert "Your signature is needed" in page.content.decode()


def test_whoever_may_not_sign_is_told_why(browser, submitted) -> None:
    submitted()

    page = browser("otto", Role.OPERATOR).get(reverse("admin:index"))

    assert "Your roles do not sign approvals." in page.content.decode()


def test_what_waits_for_this_person_comes_first(browser, submitted) -> None:
    submitted("one")
    client = browser("cleo", Role.CLINICIAN)
    submitted("two")

    waiting = client.get(reverse("admin:index")).context["waiting"]

    refused = [bool(row.refusal) for row in waiting]
    assert len(waiting) == 2
    assert refused == sorted(refused)


def test_an_overdue_case_says_so(browser, case) -> None:
    Escalation.objects.filter(pk=case.pk).update(
        opened_at="2026-01-01T00:00Z", due_at="2026-01-01T00:10Z"
    )

    page = browser("cleo", Role.CLINICIAN).get(reverse("admin:index"))

    assert "overdue by" in page.content.decode()


def test_a_head_that_names_no_entry_is_an_alarm(browser) -> None:
    record_event(
        actor=system_actor("bootstrap"),
        event="test.event",
        subject=Subject("test.thing", "1"),
    )
    client = browser("ciro", Role.COMPLIANCE)
    AuditChain.objects.update(sequence=9_999)

    page = client.get(reverse("admin:index")).content.decode()

    assert "A head does not match its chain" in page


def test_the_badge_says_to_which_entry_the_log_was_verified(browser) -> None:
    client = browser("ciro", Role.COMPLIANCE)
    never = client.get(reverse("admin:index")).content.decode()

    client.get(reverse("admin:audit_auditentry_verify"))
    page = client.get(reverse("admin:index")).content.decode()

    entries = AuditEntry.objects.exclude(event="audit.chains_verified").count()
    assert "Nobody has verified the whole log yet" in never
    assert f"Verified to entry {entries} at" in page
    assert "by ciro." in page


def test_a_broken_chain_stays_on_the_page(browser) -> None:
    client = browser("ciro", Role.COMPLIANCE)
    head = AuditChain.objects.get()
    AuditChain.objects.update(digest="another")
    client.get(reverse("admin:audit_auditentry_verify"))
    AuditChain.objects.exclude(digest="another").update(digest=head.digest)

    page = client.get(reverse("admin:index")).context

    assert page["verification"].held is False


def test_the_inbox_tells_mine_from_what_waits_for_me(browser, submitted) -> None:
    submitted("one")
    author = Client()
    author.force_login(
        User.objects.get(username="olga-one"),
        "django.contrib.auth.backends.ModelBackend",
    )

    theirs = browser("cleo", Role.CLINICIAN).get(reverse("admin:index"))
    mine = author.get(reverse("admin:index"))

    assert [len(part) for part in parts(theirs)] == [1, 0, 0]
    assert [len(part) for part in parts(mine)] == [0, 1, 0]


def parts(page):
    inbox = page.context["inbox"]
    return inbox.for_me, inbox.mine, inbox.others


def test_an_old_request_is_overdue(browser, submitted) -> None:
    submitted("one")
    ApprovalRequest.objects.update(created_at=timezone.now() - timedelta(days=4))

    page = browser("cleo", Role.CLINICIAN).get(reverse("admin:index"))

    assert "has waited for more than three days" in page.content.decode()


def test_a_key_that_ends_soon_needs_attention(browser, roles) -> None:
    sync_tiers(actor=system_actor("bootstrap"))
    client = browser("olga", Role.OPERATOR)
    owner = User.objects.get(username="olga")
    for name, days in (("soon", 3), ("later", 90)):
        issue_key(
            actor=actor_for_user(owner),
            name=name,
            owner=owner,
            scopes=("models:read",),
            tier=Tier.objects.first(),
            expires_at=timezone.now() + timedelta(days=days),
        )

    told = [one.what for one in client.get(reverse("admin:index")).context["troubles"]]

    assert "API key soon" in told
    assert "API key later" not in told


def test_the_page_costs_the_same_for_one_row_and_for_many(
    browser, submitted, django_assert_max_num_queries
) -> None:
    for number in range(4):
        submitted(f"p{number}")
    client = browser("ciro", Role.COMPLIANCE)

    with django_assert_max_num_queries(20):
        client.get(reverse("admin:index"))


def test_the_sidebar_lists_only_screens_that_open(browser) -> None:
    for role in Role:
        client = browser(f"some-{role.value}", role)
        page = client.get(reverse("admin:index"))
        links = {
            str(item["link"])
            for group in page.context["sidebar_navigation"]
            for item in group["items"]
            if item.get("has_permission", True)
        }
        for link in links:
            assert client.get(link).status_code == 200, (role, link)
