"""The desk: due dates, steps in order, and the retention table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.roles import Role
from apps.audit.models import AuditEntry
from apps.compliance import services
from apps.compliance.errors import RequestState
from apps.compliance.models import SubjectRequest
from apps.compliance.retention import as_markdown, retention_table
from apps.compliance.services.desk import add_months
from apps.core.errors import InvalidInput, NotFound
from apps.inference.models import KeptText
from tests.compliance.people import PERSON, SAID, keep_everything, verified

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db


def opened(officers, program, kind="access", **more) -> SubjectRequest:
    given = {"received_at": timezone.now()} | more
    return services.open_subject_request(
        actor=officers[0], asked=services.Asked(kind, program.prefix, PERSON, **given)
    )


@pytest.mark.parametrize(
    ("received", "months", "due"),
    [
        ((2026, 1, 31), 1, (2026, 2, 28)),
        ((2027, 12, 31), 1, (2028, 1, 31)),
        ((2026, 11, 30), 3, (2027, 2, 28)),
        ((2028, 1, 30), 1, (2028, 2, 29)),
    ],
)
def test_a_month_ends_on_its_last_day_at_the_latest(received, months, due):
    start = datetime(*received, 9, tzinfo=UTC)

    assert add_months(start, months) == datetime(*due, 9, tzinfo=UTC)


def test_what_the_person_is_called_is_stored_nowhere(officers, program):
    request = opened(officers, program)

    stored = str(SubjectRequest.objects.values()) + str(AuditEntry.objects.values())
    assert PERSON not in stored
    assert len(request.subject) == 64


def test_a_request_about_nobody_looks_like_any_other(officers, program):
    keep_everything(PERSON, SAID, program.family_id)

    known, unknown = opened(officers, program), opened(officers, program)

    assert (known.state, known.kind) == (unknown.state, unknown.kind)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"kind": "other"}, InvalidInput),
        ({"program": "pe_live_none"}, NotFound),
        ({"participant": " "}, InvalidInput),
        ({"received_at": timezone.now() + timedelta(days=1)}, InvalidInput),
    ],
)
def test_a_request_that_cannot_be_is_refused(officers, program, change, refusal):
    given = {
        "kind": "access",
        "program": program.prefix,
        "participant": PERSON,
        "received_at": timezone.now(),
    } | change

    with pytest.raises(refusal):
        services.open_subject_request(actor=officers[0], asked=services.Asked(**given))


def test_it_is_extended_once_and_with_a_reason(officers, program):
    request = opened(officers, program)
    extend = {"actor": officers[0], "request_id": str(request.pk)}
    with pytest.raises(InvalidInput):
        services.extend_request(**extend, because="late")

    extended = services.extend_request(**extend, because="hundreds of letters arrived")

    assert extended.due_at == add_months(request.received_at, 3)
    with pytest.raises(RequestState):
        services.extend_request(**extend, because="and then still more of them")


def test_what_is_overdue_cannot_be_extended(officers, program):
    late = timezone.now() - timedelta(days=40)
    request = opened(officers, program, received_at=late)

    assert request.is_overdue(timezone.now())
    with pytest.raises(RequestState, match="overdue"):
        services.extend_request(
            actor=officers[0], request_id=str(request.pk), because="we forgot about it"
        )


def test_a_closed_request_is_not_done_twice(officers, program):
    request = verified(officers, program, "access")
    services.export_subject(actor=officers[1], request_id=request)

    with pytest.raises(RequestState):
        services.export_subject(actor=officers[1], request_id=request)
    with pytest.raises(RequestState):
        services.refuse_request(
            actor=officers[1], request_id=request, because="too late for that now"
        )


def test_an_access_request_is_told_why_and_how_long(officers, program):
    keep_everything(PERSON, SAID, program.family_id)
    request = verified(officers, program, "access")

    content = services.export_subject(actor=officers[1], request_id=request)

    assert len(content["processing"]) == len(retention_table())
    assert content["kept"]["kept-texts"][0]["text"] == SAID


@pytest.mark.parametrize(
    "forged",
    [
        {"state": "done"},
        {"state": "refused"},
        {"state": "verified"},
        {"subject": ""},
        {"due_at": datetime(2000, 1, 1, tzinfo=UTC)},
        {"refused_because": "x"},
    ],
)
def test_the_database_refuses_half_a_step(officers, program, forged):
    request = opened(officers, program)

    with pytest.raises(IntegrityError), transaction.atomic():
        SubjectRequest.objects.filter(pk=request.pk).update(**forged)


def test_the_database_refuses_an_erasure_by_one(officers, program):
    request = verified(officers, program, "erasure")
    cora = User.objects.get(username="cora")

    with pytest.raises(IntegrityError), transaction.atomic():
        SubjectRequest.objects.filter(pk=request).update(
            state="done", closed_by=cora, closed_at=timezone.now()
        )


def test_every_table_stands_in_the_retention_table():
    listed = [table for kept in retention_table() for table in kept.tables]
    tables = {table for table in listed if " " not in table}
    there = {
        model._meta.label_lower for model in apps.get_models(include_auto_created=True)
    }

    assert tables == there
    assert len(listed) == len(set(listed))


def test_the_document_shows_the_table_of_the_code():
    document = (ROOT / "docs/compliance/retention.md").read_text()

    assert as_markdown() in document


@pytest.fixture
def browser(person, officers):
    client = Client()
    client.force_login(
        User.objects.get(username="ciro"), "django.contrib.auth.backends.ModelBackend"
    )
    return client


def page(name: str, request_id: str) -> str:
    return reverse(f"admin:compliance_subjectrequest_{name}", args=[request_id])


def test_the_pages_take_a_request_to_its_end(browser, officers, program):
    kept = keep_everything(PERSON, SAID, program.family_id)
    request = verified(officers, program, "erasure")

    listed = browser.get(reverse("admin:compliance_subjectrequest_changelist"))
    asked = browser.get(page("fulfil", request))
    done = browser.post(page("fulfil", request), follow=True)

    assert listed.status_code == 200
    assert "Nobody can undo this" in asked.content.decode()
    assert "key_destroyed" in done.content.decode()
    assert SubjectRequest.objects.get(pk=request).state == "done"
    assert not KeptText.objects.filter(pk=kept.record.pk, sealed__isnull=False)


def test_an_export_is_downloaded_and_cached_nowhere(browser, officers, program):
    keep_everything(PERSON, SAID, program.family_id)
    request = verified(officers, program, "export")

    response = browser.post(page("fulfil", request))

    assert "no-store" in response["Cache-Control"]
    assert "attachment" in response["Content-Disposition"]
    assert SAID in response.content.decode()


def test_a_request_is_opened_on_its_page(browser, program):
    add = reverse("admin:compliance_subjectrequest_add")
    form = {
        "kind": "access",
        "program": program.prefix,
        "participant": PERSON,
        "received_at_0": "2026-01-05",
        "received_at_1": "09:00:00",
    }

    shown, posted = browser.get(add), browser.post(add, form)

    assert shown.status_code == 200
    assert posted.status_code == 302, posted.content.decode()
    assert SubjectRequest.objects.get().kind == "access"


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.CLINICIAN, Role.RESPONDER])
def test_the_desk_is_closed_to_others(person, officers, program, role):
    request = verified(officers, program, "erasure")
    client = Client()
    client.force_login(
        person("stranger", role), "django.contrib.auth.backends.ModelBackend"
    )

    for url in (page("fulfil", request), page("change", request)):
        assert client.post(url).status_code in {302, 403}
    assert SubjectRequest.objects.get(pk=request).state == "verified"
