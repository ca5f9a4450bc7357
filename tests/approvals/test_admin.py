"""The inbox and the sign page: evidence shown, password asked, refusals explained."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.permissions import acting_user
from apps.accounts.roles import Role
from apps.approvals.forms import MEANINGS
from apps.approvals.models import ApprovalRequest, SignOff
from apps.approvals.services import request_approval
from tests.approvals.subjects import LABEL, LETTERS, Letter

pytestmark = pytest.mark.django_db
PASSWORD = "a long test passphrase"


def _browser(actor):
    client = Client()
    client.force_login(acting_user(actor), "django.contrib.auth.backends.ModelBackend")
    return client


def _url(row, step="change"):
    return reverse(f"admin:approvals_approvalrequest_{step}", args=[row.pk])


def _signature(**changed):
    return {
        "decision": "approve",
        "meaning": MEANINGS[0],
        "reason": "sound",
        "password": PASSWORD,
    } | changed


def test_inbox_says_who_is_waited_for(request_row, reviewer, author):
    url = reverse("admin:approvals_approvalrequest_changelist")

    waiting = _browser(reviewer).get(url).content.decode()
    own = _browser(author).get(url).content.decode()

    assert "Waits for your signature" in waiting
    assert "0 of 2" in waiting
    assert "Your roles do not sign approvals." in own


def test_inbox_makes_no_query_per_row(
    author, reviewer, signing, django_assert_max_num_queries
):
    signing(reviewer)
    for name in "bcdefgh":
        LETTERS[name] = Letter(author_id=author.id)
        request_approval(actor=author, subject_label=LABEL, subject_id=name)
    client = _browser(reviewer)

    with django_assert_max_num_queries(16):
        client.get(reverse("admin:approvals_approvalrequest_changelist"))


def test_request_shows_its_evidence_and_the_button(request_row, reviewer):
    page = _browser(reviewer).get(_url(request_row)).content.decode()

    assert re.search(r">words</th><td[^>]*><span[^>]*>2<", page)
    assert request_row.subject_digest in page
    assert _url(request_row, "sign") in page


def test_refusal_stands_where_the_button_would(request_row, signing, reviewer):
    signing(reviewer)

    page = _browser(reviewer).get(_url(request_row)).content.decode()

    assert "You have signed this" in page
    assert _url(request_row, "sign") not in page
    assert "sound" in page


def test_two_people_sign_by_hand(request_row, reviewer, clinician):
    first = _browser(reviewer)
    assert "first draft" not in first.get(_url(request_row, "sign")).content.decode()

    first.post(_url(request_row, "sign"), _signature())
    response = _browser(clinician).post(
        _url(request_row, "sign"), _signature(), follow=True
    )

    assert "The request is approved" in response.content.decode()
    assert ApprovalRequest.objects.get().state == "approved"
    assert SignOff.objects.first().meaning == MEANINGS[0]


def test_wrong_password_does_not_sign(request_row, reviewer):
    response = _browser(reviewer).post(
        _url(request_row, "sign"), _signature(password="guess")
    )

    assert "This is not your password" in response.content.decode()
    assert "guess" not in response.content.decode()
    assert not SignOff.objects.exists()


def test_wrong_passwords_at_signing_lock_out(request_row, reviewer, settings):
    settings.AXES_ENABLED = True
    client = _browser(reviewer)

    for _ in range(5):
        client.post(_url(request_row, "sign"), _signature(password="guess"))
    locked = client.post(_url(request_row, "sign"), _signature())

    assert locked.status_code == 429
    assert not SignOff.objects.exists()


@pytest.mark.parametrize(
    "changed",
    [{"decision": "maybe"}, {"meaning": "because"}, {"reason": ""}, {"password": ""}],
)
def test_incomplete_signature_is_refused(request_row, reviewer, changed):
    response = _browser(reviewer).post(_url(request_row, "sign"), _signature(**changed))

    assert response.status_code == 200
    assert not SignOff.objects.exists()


def test_changed_subject_is_explained_and_stays_void(request_row, reviewer, letter):
    letter.text = "second draft"

    response = _browser(reviewer).post(_url(request_row, "sign"), _signature())

    assert "changed after it was submitted" in response.content.decode()
    assert ApprovalRequest.objects.get().state == "void"


def test_withdrawing_by_hand(request_row, author):
    client = _browser(author)
    assert client.get(_url(request_row, "withdraw")).status_code == 200

    client.post(_url(request_row, "withdraw"))

    assert ApprovalRequest.objects.get().state == "withdrawn"


@pytest.mark.parametrize("step", ["change", "sign", "withdraw"])
def test_people_without_the_view_see_nothing(request_row, acting, step):
    desk = _browser(acting("rosa", Role.RESPONDER))

    assert desk.get(_url(request_row, step)).status_code == 403


def test_unknown_request_is_404(reviewer):
    url = reverse(
        "admin:approvals_approvalrequest_sign",
        args=["00000000-0000-0000-0000-000000000000"],
    )

    assert _browser(reviewer).get(url).status_code == 404


def test_requests_cannot_be_deleted_or_edited_by_hand(request_row, reviewer):
    client = _browser(reviewer)

    assert client.post(_url(request_row, "delete"), {"post": "yes"}).status_code == 403
    assert client.post(_url(request_row), {"state": "approved"}).status_code == 403
    assert ApprovalRequest.objects.get().state == "pending"
