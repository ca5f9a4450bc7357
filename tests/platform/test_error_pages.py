"""Refusals and failures as people see them: a reason and a way back."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from apps.accounts.roles import Role

pytestmark = pytest.mark.django_db


def test_a_screen_that_is_not_open_to_a_role_says_why(person) -> None:
    client = Client()
    client.force_login(
        person("rev", Role.REVIEWER), "django.contrib.auth.backends.ModelBackend"
    )

    refused = client.get(reverse("admin:accounts_user_changelist"))

    assert refused.status_code == 403
    assert "None of your roles holds the permission" in refused.content.decode()


def test_a_page_that_is_not_there_says_so(person) -> None:
    client = Client()
    client.force_login(
        person("rev", Role.REVIEWER), "django.contrib.auth.backends.ModelBackend"
    )

    missing = client.get("/admin/nothing/here/")

    assert missing.status_code == 404
    assert "There is nothing here" in missing.content.decode()


def test_a_form_without_its_token_says_what_to_do(person) -> None:
    client = Client(enforce_csrf_checks=True)

    refused = client.post(reverse("admin:login"), {"username": "x", "password": "y"})

    assert refused.status_code == 403
    assert "reload the page" in refused.content.decode()


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500"])
def test_error_pages_need_no_context(name: str) -> None:
    assert "Back to the landing page" in render_to_string(f"{name}.html")
