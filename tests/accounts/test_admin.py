"""The screens: who sees them, secrets once, one-time passwords, lockout."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.keys import authenticate_key
from apps.accounts.models import ApiKey, Tier, User
from apps.accounts.permissions import system_actor
from apps.accounts.roles import Role
from apps.accounts.services import create_staff
from tests.conftest import STAFF_PASSWORD

pytestmark = pytest.mark.django_db
# Who they are is asked again before an act that cannot be taken back.
AGAIN = {"password": STAFF_PASSWORD}
PASSPHRASE = "walking-by-the-canal-42"


@pytest.fixture
def browser(person):
    def make(name, *held):
        client = Client()
        client.force_login(
            person(name, *held), "django.contrib.auth.backends.ModelBackend"
        )
        return client

    return make


def _shown(response):
    found = re.search(r'id="shown-once"[^>]*>([^<]+)<', response.content.decode())
    assert found, response.content.decode()[-3000:]
    return found[1]


@pytest.mark.parametrize(
    ("model", "role", "status"),
    [
        ("user", Role.COMPLIANCE, 200),
        ("user", Role.REVIEWER, 403),
        ("apikey", Role.OPERATOR, 200),
        ("apikey", Role.CLINICIAN, 403),
        ("tier", Role.OPERATOR, 200),
        ("tier", Role.REVIEWER, 403),
    ],
)
def test_lists_open_for_the_roles_that_need_them(browser, issue, model, role, status):
    issue()

    response = browser("someone", role).get(
        reverse(f"admin:accounts_{model}_changelist")
    )

    assert response.status_code == status


def test_groups_have_no_screen(browser):
    response = browser("cora", Role.COMPLIANCE).get("/admin/auth/group/")

    assert response.status_code == 404


def test_person_added_by_hand_gets_a_one_time_password_shown_once(browser):
    response = browser("cora", Role.COMPLIANCE).post(
        reverse("admin:accounts_user_add"),
        {"username": "rita", "email": "", "roles": ["reviewer"]},
    )

    assert "no-store" in response["Cache-Control"]
    rita = User.objects.get(username="rita")
    assert rita.check_password(_shown(response))
    page = browser("cleo", Role.COMPLIANCE).get(
        reverse("admin:accounts_user_change", args=[rita.pk])
    )
    assert page.status_code == 200
    assert _shown(response) not in page.content.decode()
    assert rita.password not in page.content.decode()


def test_refusal_of_the_service_is_an_error_of_the_form(browser, person):
    person("rita")

    response = browser("cora", Role.COMPLIANCE).post(
        reverse("admin:accounts_user_add"), {"username": "rita", "roles": ["reviewer"]}
    )

    assert response.status_code == 200
    assert "There is a rita already" in response.content.decode()


def test_roles_password_and_access_are_changed_through_pages(browser, person):
    rita = person("rita", Role.REVIEWER)
    cora = browser("cora", Role.COMPLIANCE)

    def page(name):
        return reverse(f"admin:accounts_user_{name}", args=[rita.pk])

    assert cora.get(page("change_roles")).status_code == 200
    cora.post(page("change_roles"), {"roles": ["clinician"], **AGAIN})
    cora.post(page("deactivate"))
    rita.refresh_from_db()
    assert not rita.is_active
    cora.post(page("activate"))
    shown = _shown(cora.post(page("reset_password"), AGAIN))

    rita.refresh_from_db()
    assert rita.is_active
    assert rita.check_password(shown)
    assert [group.name for group in rita.groups.all()] == ["clinician"]


def test_reviewer_cannot_open_the_page_that_changes_roles(browser, person):
    rita = person("rita", Role.REVIEWER)

    response = browser("rob", Role.REVIEWER).post(
        reverse("admin:accounts_user_change_roles", args=[rita.pk]),
        {"roles": ["operator"]},
    )

    assert response.status_code == 403


def test_nobody_can_be_deleted(browser, person):
    rita = person("rita", Role.REVIEWER)

    response = browser("cora", Role.COMPLIANCE).post(
        reverse("admin:accounts_user_delete", args=[rita.pk]), {"post": "yes"}
    )

    assert response.status_code == 403
    assert User.objects.filter(pk=rita.pk).exists()


def test_key_issued_by_hand_is_shown_once_and_its_hash_never(browser, tier, person):
    olga = browser("olga", Role.OPERATOR)
    assert olga.get(reverse("admin:accounts_apikey_add")).status_code == 200

    response = olga.post(
        reverse("admin:accounts_apikey_add"),
        {
            "name": "wellness app",
            "owner": User.objects.get(username="olga").pk,
            "tier": tier.pk,
            "scopes": ["inference:predict"],
            "expires_in_days": "30",
            **AGAIN,
        },
    )

    key = ApiKey.objects.get()
    assert authenticate_key(_shown(response)).id == key.pk
    assert key.expires_at is not None
    page = olga.get(reverse("admin:accounts_apikey_change", args=[key.pk]))
    text = page.content.decode()
    assert key.digest not in text
    assert _shown(response) not in text
    assert "0 of 1000 this day" in text


def test_key_is_rotated_and_revoked_by_hand(browser, issue):
    key, _ = issue()
    client = browser("oscar", Role.OPERATOR)

    shown = _shown(
        client.post(
            reverse("admin:accounts_apikey_rotate", args=[key.pk]),
            {"overlap_hours": "1", **AGAIN},
        )
    )
    assert authenticate_key(shown).family_id == key.pk
    client.post(
        reverse("admin:accounts_apikey_revoke", args=[key.pk]), {"reason": "leaked"}
    )

    key.refresh_from_db()
    assert key.revoked_by.username == "oscar"


def test_second_rotation_is_refused_on_the_page(browser, issue):
    key, _ = issue()
    client = browser("oscar", Role.OPERATOR)
    url = reverse("admin:accounts_apikey_rotate", args=[key.pk])
    client.post(url, {"overlap_hours": "1", **AGAIN})

    response = client.post(url, {"overlap_hours": "1", **AGAIN})

    assert "rotated already" in response.content.decode()


def test_compliance_changes_a_tier_and_operators_do_not(browser, tier):
    url = reverse("admin:accounts_tier_change_numbers", args=[tier.pk])
    numbers = {
        "requests_per_second": "2",
        "burst": "8",
        "daily_quota": "10",
        "monthly_quota": "100",
        "max_text_chars": "500",
        "allowed_models": "",
    }

    assert browser("olga2", Role.OPERATOR).post(url, numbers).status_code == 403
    browser("cora", Role.COMPLIANCE).post(url, numbers)

    assert Tier.objects.get(pk=tier.pk).burst == 8


def test_key_list_makes_the_same_queries_for_one_key_and_for_many(
    browser, issue, django_assert_max_num_queries
):
    client = browser("oscar", Role.OPERATOR)
    for number in range(8):
        issue(name=f"key {number}")

    with django_assert_max_num_queries(14):
        client.get(reverse("admin:accounts_apikey_changelist"))


# -- one-time passwords ---------------------------------------------------------------


@pytest.fixture
def newcomer(roles):
    user, password = create_staff(
        actor=system_actor("bootstrap"), username="nora", roles=["reviewer"]
    )
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client, user, password


def test_one_time_password_opens_nothing_but_its_replacement(newcomer):
    client, _, _ = newcomer

    response = client.get(reverse("admin:index"))

    assert response.status_code == 302
    assert response["Location"] == reverse("admin:password_change")
    assert client.get(response["Location"]).status_code == 200


def test_replacing_the_one_time_password_opens_the_admin_and_keeps_the_session(
    newcomer,
):
    client, user, password = newcomer

    response = client.post(
        reverse("admin:password_change"),
        {
            "old_password": password,
            "new_password1": PASSPHRASE,
            "new_password2": PASSPHRASE,
        },
    )

    assert response.status_code == 302, response.context["form"].errors
    user.refresh_from_db()
    assert not user.must_change_password
    assert client.get(reverse("admin:index")).status_code == 200


@pytest.mark.parametrize("chosen", ["same", "short"])
def test_unchanged_or_weak_replacement_keeps_the_door_shut(newcomer, chosen):
    client, user, password = newcomer
    new = password if chosen == "same" else "short"

    response = client.post(
        reverse("admin:password_change"),
        {"old_password": password, "new_password1": new, "new_password2": new},
    )

    assert response.status_code == 200
    user.refresh_from_db()
    assert user.must_change_password
    assert client.get(reverse("admin:index")).status_code == 302


# -- log-in and lockout ---------------------------------------------------------------


def _log_in(client, password):
    return client.post(
        reverse("admin:login"), {"username": "rita", "password": password}
    )


def test_log_in_with_the_right_password(person):
    person("rita", Role.REVIEWER)

    assert _log_in(Client(), "a long test passphrase").status_code == 302


def test_five_wrong_passwords_lock_even_the_right_one_out(person, settings):
    settings.AXES_ENABLED = True
    person("rita", Role.REVIEWER)
    client = Client()

    statuses = [_log_in(client, f"wrong {number}").status_code for number in range(5)]
    locked = _log_in(client, "a long test passphrase")

    assert statuses[:4] == [200] * 4
    assert locked.status_code == 429
    assert client.get(reverse("admin:index")).status_code == 302


@pytest.mark.parametrize(
    ("model", "role", "step"),
    [
        ("apikey", Role.OPERATOR, "rotate"),
        ("apikey", Role.COMPLIANCE, "revoke"),
        ("tier", Role.COMPLIANCE, "change_numbers"),
        ("user", Role.COMPLIANCE, "change_roles"),
        ("user", Role.COMPLIANCE, "deactivate"),
    ],
)
def test_what_is_no_identifier_is_not_found(browser, model, role, step):
    url = reverse(f"admin:accounts_{model}_{step}", args=["nonsense"])

    assert browser("someone", role).get(url).status_code == 404
