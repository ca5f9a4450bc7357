"""Request ids, one-time passwords, and what API requests skip."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.roles import Role

pytestmark = pytest.mark.django_db


def test_a_wellformed_request_id_is_echoed(client: Client):
    response = client.get("/admin/login/", headers={"X-Request-ID": "caller-1234"})

    assert response["X-Request-ID"] == "caller-1234"


@pytest.mark.parametrize(
    "offered", ["short", "a" * 65, "has space 123", "x\ny-12345678"]
)
def test_a_malformed_request_id_is_replaced(client: Client, offered):
    response = client.get("/admin/login/", headers={"X-Request-ID": offered})

    assert response["X-Request-ID"] != offered
    assert len(response["X-Request-ID"]) == 36


def test_a_one_time_password_opens_nothing_but_its_replacement(client, person):
    client.force_login(person("ana", Role.REVIEWER, must_change_password=True))

    response = client.get(reverse("admin:index"))

    assert response.status_code == 302
    assert response["Location"] == reverse("admin:password_change")


def test_the_page_that_replaces_it_opens(client, person):
    client.force_login(person("ana", Role.REVIEWER, must_change_password=True))

    assert client.get(reverse("admin:password_change")).status_code == 200


def test_api_paths_set_no_cookie_and_ask_for_none(client: Client):
    response = client.get("/api/nothing-here")

    assert response.status_code == 404
    assert not response.cookies
