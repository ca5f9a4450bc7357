"""Sessions end, and nothing of the admin opens to who is signed in by half."""

from __future__ import annotations

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from apps.accounts.roles import Role
from tests.conftest import STAFF_PASSWORD
from tests.platform.test_urls_denied import METHODS, ROUTES, _path

pytestmark = pytest.mark.django_db
BEGAN = "2026-11-25T08:00:00+00:00"
OPEN_BY_HALF = {
    "admin/login/", "admin/logout/", "admin/jsi18n/", "livez", "readyz", "sso/",
    "sso/callback/", "admin/second-factor/", "admin/second-factor/enrol/",
}  # fmt: skip


@pytest.fixture
def rita(person) -> Client:
    person("rita", Role.REVIEWER)
    client = Client(raise_request_exception=False)
    with time_machine.travel(BEGAN, tick=False):
        assert client.login(username="rita", password=STAFF_PASSWORD)
    return client


def at(moment: str, client: Client, **headers: str):
    with time_machine.travel(moment, tick=False):
        return client.get(reverse("admin:index"), headers=headers)


def test_an_idle_session_ends_and_says_so(rita):
    assert at("2026-11-25T08:29:00+00:00", rita).status_code == 200

    late = at("2026-11-25T09:00:01+00:00", rita)

    assert late.status_code == 302
    assert late["Location"].startswith(reverse("admin:login"))
    assert "Your session ended" in rita.get(late["Location"]).content.decode()


def test_a_page_that_polls_does_not_keep_a_session_alive(rita):
    polled = at("2026-11-25T08:29:00+00:00", rita, **{"X-Polling": "1"})

    late = at("2026-11-25T08:31:00+00:00", rita)

    assert polled.status_code == 200
    assert late.status_code == 302


def test_a_session_ends_with_the_working_day_however_busy(rita, settings):
    settings.PE_SESSION_IDLE_S = 3600 * 24

    assert at("2026-11-25T15:59:00+00:00", rita).status_code == 200
    assert at("2026-11-25T16:00:01+00:00", rita).status_code == 302


def test_a_session_that_does_not_say_when_it_began_is_over(rita):
    with time_machine.travel(BEGAN, tick=False):
        session = rita.session
        del session["signed_in_at"]
        session.save()

    assert at(BEGAN, rita).status_code == 302


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if not route.startswith("api/")]
)
def test_no_url_opens_without_the_second_factor(person, settings, route):
    settings.PE_STAFF_MFA = "required"
    person("rita", Role.REVIEWER, Role.COMPLIANCE, Role.OPERATOR, is_superuser=True)
    client = Client(raise_request_exception=False)
    client.login(username="rita", password=STAFF_PASSWORD)

    for method in set(METHODS) - {"options"}:
        response = getattr(client, method)(_path(route))
        if route in OPEN_BY_HALF:
            break
        sent_on = response.status_code == 302 and response["Location"].startswith(
            (reverse("admin:second_factor"), reverse("admin:login"))
        )
        refused = response.status_code in {401, 403, 405}
        assert sent_on or refused, (route, method, response.status_code)
