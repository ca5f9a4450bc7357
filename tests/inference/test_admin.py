"""The records in the admin: read by compliance, changed by nobody, few queries."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.roles import Role
from apps.audit.models import AuditEntry
from apps.inference.models import InferenceRecord
from tests.inference.test_models import a_record

LIST = reverse("admin:inference_inferencerecord_changelist")


@pytest.fixture
def officer(person) -> Client:
    client = Client()
    client.force_login(person("cosima", Role.COMPLIANCE))
    return client


@pytest.fixture
def records(db):
    return [a_record(model_name=f"model-{n}") for n in range(25)]


def saved(records):
    InferenceRecord.objects.bulk_create(records)
    return records


def test_compliance_finds_a_record_by_its_request_id(officer, records):
    records[7].request_id = "support-case-0001"
    saved(records)

    page = officer.get(LIST, {"q": "support-case-0001"}).content.decode()

    assert str(records[7].pk) in page
    assert str(records[8].pk) not in page


def test_a_record_is_found_by_its_id(officer, records):
    wanted = saved(records)[3]

    page = officer.get(LIST, {"q": str(wanted.pk)}).content.decode()

    assert f"/{wanted.pk}/change/" in page
    assert str(records[4].pk) not in page


def test_the_list_takes_the_same_queries_however_long_it_is(
    officer, records, django_assert_num_queries, django_assert_max_num_queries
):
    saved(records[:2])
    with django_assert_max_num_queries(12) as few:
        officer.get(LIST)
    saved(records[2:])

    with django_assert_num_queries(len(few)):
        assert officer.get(LIST).status_code == 200


def test_a_record_opens_and_offers_no_change(officer, records):
    wanted = saved(records)[0]

    page = officer.get(
        reverse("admin:inference_inferencerecord_change", args=[wanted.pk])
    )

    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()


@pytest.mark.parametrize("name", ["add", "delete"])
def test_nobody_adds_or_deletes_a_record(officer, records, name):
    wanted = saved(records)[0]
    args = [] if name == "add" else [wanted.pk]

    response = officer.post(
        reverse(f"admin:inference_inferencerecord_{name}", args=args), {"post": "yes"}
    )

    assert response.status_code == 403
    assert InferenceRecord.objects.filter(pk=wanted.pk).exists()


def test_a_change_posted_by_hand_is_refused(officer, records):
    wanted = saved(records)[0]

    response = officer.post(
        reverse("admin:inference_inferencerecord_change", args=[wanted.pk]),
        {"decision": "block"},
    )

    wanted.refresh_from_db()
    assert response.status_code == 403
    assert wanted.decision == "allow"


def test_people_of_other_roles_do_not_see_records(person, records):
    saved(records)
    client = Client()
    client.force_login(person("olga", Role.OPERATOR))

    assert client.get(LIST).status_code == 403


def test_the_database_ids_are_what_people_see(officer, records):
    records[0].id = uuid.UUID(int=5)
    records[0].created_at = timezone.now()
    saved(records)

    assert str(uuid.UUID(int=5)) in officer.get(LIST).content.decode()


@pytest.fixture
def kept(caller, served, settings):
    settings.PE_KEEP_TEXT_HOURS = 24
    return caller.predict("I am going to kill myself tonight.").json()["id"]


def step(client, record_id, name):
    url = reverse(f"admin:inference_inferencerecord_{name}", args=[record_id])
    return client.post(url, follow=True).content.decode()


def test_compliance_decides_a_request_again_and_sees_no_word(officer, kept):
    shown = reverse("admin:inference_inferencerecord_change", args=[kept])

    page, told = officer.get(shown).content.decode(), step(officer, kept, "replay")

    assert "Decide again" in page
    assert "Words that moved" not in page
    assert "Nothing would differ." in told
    assert "tonight" not in told
    assert "needs the permission" in step(officer, kept, "words")


def test_a_clinician_sees_the_words_and_the_look_is_audited(person, kept):
    client = Client()
    client.force_login(person("clio", Role.CLINICIAN))

    told = step(client, kept, "words")

    assert "myself" in told
    entry = AuditEntry.objects.get(event="inference.words_read")
    assert (entry.subject_id, entry.actor_label) == (kept, "clio")
    assert "myself" not in str(entry.details)


def test_a_request_whose_text_was_not_kept_says_so(officer, caller, served):
    record_id = caller.predict("hello there").json()["id"]

    assert "was not kept" in step(officer, record_id, "replay")
