"""Finding entries, following one subject, and exports that leave a trace."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from apps.accounts.roles import Role
from apps.audit.explorer import _cells
from apps.audit.models import AuditEntry
from apps.audit.selectors import values_of
from tests.audit.support import record

pytestmark = pytest.mark.django_db
LIST = reverse("admin:audit_auditentry_changelist")


def export_url(form: str) -> str:
    return reverse("admin:audit_auditentry_export", args=[form])


@pytest.fixture
def cora(client, person):
    client.force_login(
        person("cora", Role.COMPLIANCE), "django.contrib.auth.backends.ModelBackend"
    )
    return client


def found(client, **query: str) -> list[str]:
    page = client.get(LIST, query)
    assert page.status_code == 200
    return [entry.subject_id for entry in page.context["cl"].result_list]


def body(response) -> str:
    return b"".join(response.streaming_content).decode()


def test_the_search_finds_whole_ids_actors_and_events(cora):
    record(41)
    record(42)

    assert found(cora, q="42") == ["42"]
    assert found(cora, q="4") == []
    assert found(cora, q="tests.counted") == ["42", "41"]
    assert found(cora, q="system:maintenance") == ["42", "41"]


def test_filters_offer_values_and_narrow_the_list(cora):
    record(1)
    later = {"recorded_at_from_0": "2999-01-01"}

    assert "tests.counted" in values_of("event")
    assert found(cora, subject_label="tests.thing") == ["1"]
    assert found(cora, event="tests.counted", **later) == []


def test_a_subject_opens_its_timeline_oldest_first(cora):
    record(7, step="first")
    record(8)
    record(7, step="second")
    url = reverse("admin:audit_auditentry_timeline", args=["tests.thing", "7"])

    page = cora.get(url)

    steps = [entry.details["step"] for entry in page.context["entries"]]
    assert steps == ["first", "second"]
    assert url in cora.get(LIST).content.decode()


def test_a_timeline_of_nothing_says_what_to_check(cora):
    url = reverse("admin:audit_auditentry_timeline", args=["tests.thing", "none"])

    assert "Check its kind" in cora.get(url).content.decode()


def test_an_export_is_what_the_list_shows_and_is_recorded_first(cora):
    record(1)
    record(2)

    rows = json.loads(body(cora.get(export_url("json"), {"q": "2"})))

    assert [row["subject_id"] for row in rows] == ["2"]
    assert rows[0]["digest"].startswith("hmac-sha256:")
    trace = AuditEntry.objects.get(event="audit.entries_exported")
    assert trace.actor_label == "cora"
    assert trace.details["entries"] == 1
    assert trace.details["filters"] == ["q"]
    assert "2" not in trace.details.values()


def test_a_spreadsheet_is_given_no_formula(cora):
    record(1, note="plain")

    rows = list(csv.DictReader(io.StringIO(body(cora.get(export_url("csv"))))))

    assert json.loads(rows[-1]["details"])["note"] == "plain"
    assert _cells(["=1+1", "@x", "plain", {"a": 1}]) == [
        "'=1+1", "'@x", "plain", '{"a": 1}',
    ]  # fmt: skip


def test_an_export_in_another_form_does_not_exist(cora):
    assert cora.get(export_url("xml")).status_code == 404


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.OPERATOR])
def test_others_neither_look_nor_export(client, person, role):
    client.force_login(
        person("otto", role), "django.contrib.auth.backends.ModelBackend"
    )
    record(1)

    assert client.get(export_url("csv")).status_code == 403
    assert (
        client.get(
            reverse("admin:audit_auditentry_timeline", args=["tests.thing", "1"])
        ).status_code
        == 403
    )
    assert not AuditEntry.objects.filter(event="audit.entries_exported").exists()


def test_who_only_looks_is_offered_no_export(client, person):
    user = person("vera")
    user.user_permissions.add(Permission.objects.get(codename="view_auditentry"))
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")

    assert "Export as CSV" not in client.get(LIST).content.decode()
    assert client.get(export_url("csv")).status_code == 403


def test_the_list_asks_the_same_for_one_entry_and_for_many(
    cora, django_assert_max_num_queries
):
    for number in range(30):
        record(number)

    with django_assert_max_num_queries(40):
        cora.get(LIST)
