"""Single sign-on against a real OpenID Connect provider that runs beside the test."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.test import Client
from django.urls import reverse
from oidc_provider_mock import User as Claims
from oidc_provider_mock import run_server_in_thread

from apps.accounts import sso
from apps.accounts.models import User
from apps.accounts.roles import Role
from apps.audit.models import AuditEntry

pytestmark = [
    pytest.mark.django_db,
    # The provider's own: it speaks to its library in an older way.
    pytest.mark.filterwarnings("ignore:get_jwt_config:DeprecationWarning"),
]
HOME = reverse("admin:index")
PEOPLE = (
    Claims(sub="p-1", claims={"email": "rita@x.org", "email_verified": True}),
    Claims(
        sub="p-2",
        claims={"email": "cora@x.org", "email_verified": True, "amr": ["pwd", "mfa"]},
    ),
    Claims(sub="p-3", claims={"email": "rita@x.org", "email_verified": False}),
    Claims(sub="p-4", claims={"email": "nobody@x.org", "email_verified": True}),
)


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with run_server_in_thread(user_claims=PEOPLE, require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(autouse=True)
def _configured(settings, issuer) -> None:
    settings.PE_OIDC_ISSUER = issuer
    settings.OIDC_RP_CLIENT_ID = "platform"
    settings.OIDC_RP_CLIENT_SECRET = "a secret of the test"
    settings.AUTHENTICATION_BACKENDS = [
        "apps.accounts.sso.StaffSsoBackend",
        *settings.AUTHENTICATION_BACKENDS,
    ]
    sso._discovery.cache_clear()


def at_provider(location: str, sub: str) -> str:
    """What a person does at the provider: choose who they are; the way back."""
    answer = httpx.post(location, data={"sub": sub}, trust_env=False)
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["Location"])
    assert back.path == reverse("sso-callback")
    return f"{back.path}?{back.query}"


def come_in(client: Client, sub: str):
    asked = client.get(reverse("sso-request"))
    return client.get(at_provider(asked["Location"], sub))


@pytest.mark.parametrize("lockout", [True, False])
def test_a_known_person_comes_in_and_is_remembered(
    client, person, issuer, settings, lockout
):
    settings.AXES_ENABLED = lockout
    person("rita", Role.REVIEWER, email="rita@x.org")

    response = come_in(client, "p-1")

    assert response["Location"] == HOME
    assert client.get(HOME).status_code == 200
    assert User.objects.get(username="rita").sso_subject == f"{issuer}|p-1"
    assert AuditEntry.objects.filter(event="accounts.sso_linked").count() == 1


def test_who_changed_their_address_is_still_known(client, person, issuer):
    person("rita", Role.REVIEWER, sso_subject=f"{issuer}|p-1", email="new@x.org")

    come_in(client, "p-1")

    assert client.get(HOME).status_code == 200


@pytest.mark.parametrize("sub", ["p-3", "p-4"])
def test_an_unverified_or_unknown_address_opens_nothing(client, person, sub):
    person("rita", Role.REVIEWER, email="rita@x.org")

    response = come_in(client, sub)

    assert response["Location"] == reverse("admin:login")
    assert client.get(HOME).status_code == 302
    assert User.objects.count() == 1


def test_two_people_with_one_address_open_nothing(client, person):
    person("rita", Role.REVIEWER, email="rita@x.org")
    person("rosa", Role.REVIEWER, email="RITA@x.org")

    come_in(client, "p-1")

    assert client.get(HOME).status_code == 302


def test_who_was_deactivated_here_does_not_come_in(client, person):
    person("rita", Role.REVIEWER, email="rita@x.org", is_active=False)

    come_in(client, "p-1")

    assert client.get(HOME).status_code == 302


def test_a_factor_shown_to_the_provider_counts(client, person, settings):
    settings.PE_STAFF_MFA = "required"
    person("cora", Role.COMPLIANCE, email="cora@x.org")

    come_in(client, "p-2")

    assert client.get(HOME).status_code == 200


def test_a_password_shown_to_the_provider_is_one_factor(client, person, settings):
    settings.PE_STAFF_MFA = "required"
    person("rita", Role.REVIEWER, email="rita@x.org")

    come_in(client, "p-1")

    enrol = reverse("admin:second_factor_enrol")
    assert client.get(HOME)["Location"].startswith(enrol)


def test_a_code_brought_to_another_browser_opens_nothing(client, person):
    person("rita", Role.REVIEWER, email="rita@x.org")
    asked = client.get(reverse("sso-request"))
    way_back = at_provider(asked["Location"], "p-1")

    stranger = Client()
    stranger.get(way_back)

    assert stranger.get(HOME).status_code == 302


def test_a_token_for_another_program_is_refused(client, person, settings):
    person("rita", Role.REVIEWER, email="rita@x.org")
    asked = client.get(reverse("sso-request"))
    way_back = at_provider(asked["Location"], "p-1")
    settings.OIDC_RP_CLIENT_ID = "another"

    response = client.get(way_back)

    assert response.status_code in {302, 400}
    assert client.get(HOME).status_code == 302


def test_the_request_is_bound_by_state_nonce_and_pkce(client):
    asked = parse_qs(urlsplit(client.get(reverse("sso-request"))["Location"]).query)

    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["state"][0]) >= 32
    assert len(asked["nonce"][0]) >= 32


def test_a_provider_that_is_away_is_said_so(client, settings):
    settings.PE_OIDC_ISSUER = "http://localhost:9"

    response = client.get(reverse("sso-request"), follow=True)

    assert "Single sign-on did not work." in response.content.decode()


def test_without_a_provider_there_is_no_such_page(client, settings):
    settings.PE_OIDC_ISSUER = ""

    assert client.get(reverse("sso-request")).status_code == 404
    assert "Single sign-on" not in client.get(reverse("admin:login")).content.decode()


def test_the_login_page_offers_it(client):
    page = client.get(reverse("admin:login")).content.decode()

    assert reverse("sso-request") in page


def test_a_password_still_opens_without_asking_the_provider(client, person, settings):
    settings.PE_OIDC_ISSUER = "http://localhost:9"
    person("rita", Role.REVIEWER)

    assert client.login(username="rita", password="a long test passphrase")
