"""What the desk's page asks by itself, and what it shows of words before a reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.roles import Role
from apps.safety.models import Escalation
from apps.safety.selectors import desk_state

pytestmark = pytest.mark.django_db
Opened = Callable[..., Escalation]
WAITING = reverse("admin:safety_escalation_waiting")


def test_a_new_case_changes_what_the_page_is_told(
    signed_in: Callable[..., Client], opened: Opened
) -> None:
    client = signed_in(Role.RESPONDER)
    before = client.get(WAITING, secure=True).json()

    opened()
    response = client.get(WAITING, secure=True)

    after = response.json()
    assert (before["open"], after["open"]) == (0, 1)
    assert before["version"] != after["version"]
    assert "no-store" in response["Cache-Control"]


def test_nothing_new_is_told_as_the_same(opened: Opened) -> None:
    opened()

    assert desk_state() == desk_state()


def test_overdue_cases_are_counted(opened: Opened) -> None:
    case = opened()
    now = timezone.now()
    Escalation.objects.filter(pk=case.pk).update(opened_at=now, due_at=now)

    assert desk_state().overdue == 1


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.REVIEWER])
def test_who_may_not_see_cases_is_told_nothing(
    signed_in: Callable[..., Client], role: Role
) -> None:
    assert signed_in(role).get(WAITING, secure=True).status_code == 403


def test_a_case_shows_its_clock_and_masks_what_was_said(
    signed_in: Callable[..., Client], opened: Opened
) -> None:
    case = opened()
    url = reverse("admin:safety_escalation_change", args=[case.pk])

    page = signed_in(Role.RESPONDER).get(url, secure=True).content.decode()

    assert f'data-countdown="{case.due_at.isoformat()}"' in page
    assert "Not kept." in page
