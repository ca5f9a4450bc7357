"""The screens: what each role sees, may do, and cannot do at all."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.roles import Role
from apps.core.actors import Actor
from apps.datasets import services
from apps.datasets.models import Dataset, DatasetVersion
from tests.datasets.rows import SCHEMA_JSON, eight_rows, jsonl, values

Advance = Callable[..., DatasetVersion]
State = DatasetVersion.State
LIST = "admin:datasets_datasetversion_changelist"
ADD = "admin:datasets_datasetversion_add"


@pytest.fixture
def as_person(person: Callable[..., User]) -> Callable[..., Client]:
    def make(name: str, *roles: Role) -> Client:
        client = Client()
        user = User.objects.filter(username=name).first() or person(name, *roles)
        client.force_login(user)
        return client

    return make


@pytest.fixture
def olga(operator: Actor, as_person: Callable[..., Client]) -> Client:
    return as_person("olga")


def page(version: DatasetVersion) -> str:
    return reverse("admin:datasets_datasetversion_change", args=[version.pk])


def step(client: Client, version: DatasetVersion, verb: str, reason: str = "") -> str:
    url = reverse("admin:datasets_version_step", args=[version.pk, verb])
    response = client.post(url, {"reason": reason}, follow=True)
    version.refresh_from_db()
    assert response.redirect_chain[-1][0] == page(version)
    return response.content.decode()


def upload(client: Client, dataset: Dataset, content: bytes) -> str:
    fields = {
        "dataset": dataset.pk,
        "file": SimpleUploadedFile("rows.jsonl", content),
        "file_format": "jsonl",
    }
    return client.post(reverse(ADD), fields, follow=True).content.decode()


def test_dataset_is_made_on_the_add_page(olga: Client, media: object) -> None:
    fields = {
        "name": "by-hand",
        "title": "By hand",
        "purpose": "To try",
        "licence": "CC0-1.0",
        "schema": json.dumps(SCHEMA_JSON),
    }

    response = olga.post(reverse("admin:datasets_dataset_add"), fields, follow=True)

    assert Dataset.objects.get().owner.username == "olga"
    assert "was added" in response.content.decode()


def test_refused_dataset_says_why_on_the_page(olga: Client, dataset: Dataset) -> None:
    fields = {
        "name": dataset.name,
        "title": "Again",
        "purpose": "To try",
        "licence": "CC0-1.0",
        "schema": json.dumps(SCHEMA_JSON),
    }

    response = olga.post(reverse("admin:datasets_dataset_add"), fields)

    assert (
        "There is a dataset named small-messages already" in response.content.decode()
    )


def test_uploaded_file_becomes_a_version(olga: Client, dataset: Dataset) -> None:
    upload(olga, dataset, jsonl(eight_rows()))

    version = DatasetVersion.objects.get()
    assert (version.row_count, version.author.username) == (8, "olga")


def test_unreadable_upload_says_why_and_keeps_nothing(
    olga: Client, dataset: Dataset
) -> None:
    text = upload(olga, dataset, jsonl(eight_rows())[:-9])

    assert "Line 8 is not one complete JSON object" in text
    assert not DatasetVersion.objects.exists()


def test_whole_way_is_walked_on_the_version_page(
    olga: Client,
    ingest: Advance,
    sign_both: Callable[[DatasetVersion], None],
) -> None:
    version = ingest()

    assert "Validation passed" in step(olga, version, "validate")
    assert "Submitted" in step(olga, version, "submit", "For the demo")
    sign_both(version)
    assert "Frozen" in step(olga, version, "freeze")
    assert "Retired" in step(olga, version, "retire", "Only a test")

    assert version.state == State.RETIRED


def test_refused_step_is_a_message(olga: Client, ingest: Advance) -> None:
    version = ingest()

    text = step(olga, version, "freeze")

    assert "it must be approved; this one is ingested" in text
    assert version.state == State.INGESTED


def test_quarantine_shows_its_findings_and_never_the_text(
    olga: Client, ingest: Advance
) -> None:
    version = ingest([*eight_rows(), values(9, text="ring +44 20 7946 0958")])

    text = step(olga, version, "validate")

    assert "identifiers.phone" in text
    assert "7946" not in text


def test_unknown_step_changes_nothing(olga: Client, ingest: Advance) -> None:
    version = ingest()

    step(olga, version, "approve")

    assert version.state == State.INGESTED


def test_steps_are_taken_by_post_only(olga: Client, ingest: Advance) -> None:
    url = reverse("admin:datasets_version_step", args=[ingest().pk, "validate"])

    assert olga.get(url).status_code == 405


def test_steps_need_the_csrf_token(ingest: Advance, operator: Actor) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(username="olga"))
    url = reverse("admin:datasets_version_step", args=[ingest().pk, "validate"])

    assert client.post(url).status_code == 403


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        (State.INGESTED, {"validate", "retire"}),
        (State.VALIDATED, {"validate", "submit", "retire"}),
        (State.SUBMITTED, set()),
        (State.APPROVED, {"freeze", "retire"}),
    ],
)
def test_page_offers_the_steps_that_the_state_allows(
    olga: Client, ingest: Advance, state: str, offered: set[str]
) -> None:
    version = ingest()
    DatasetVersion.objects.filter(pk=version.pk).update(state=state)

    text = olga.get(page(version)).content.decode()

    verbs = {"validate", "submit", "freeze", "retire"}
    assert {verb for verb in verbs if f"/step/{verb}/" in text} == offered


def test_list_actions_take_the_step_with_each_version(
    olga: Client, ingest: Advance
) -> None:
    good, bad = ingest(), ingest([values(1, text="=1+1")])
    fields = {
        "action": "validate_versions",
        "_selected_action": [str(good.pk), str(bad.pk)],
    }

    olga.post(reverse(LIST), fields)

    states = dict(DatasetVersion.objects.values_list("number", "state"))
    assert states == {1: State.VALIDATED, 2: State.QUARANTINED}


def test_reviewer_reads_and_is_offered_nothing_else(
    as_person: Callable[..., Client], ingest: Advance
) -> None:
    version = ingest()
    rena = as_person("rena", Role.REVIEWER)

    text = rena.get(page(version)).content.decode()

    assert version.digest in text
    assert "Ingested" in text
    assert "/step/" not in text
    assert rena.get(reverse(ADD)).status_code == 403
    assert rena.get(reverse("admin:datasets_dataset_add")).status_code == 403


def test_reviewer_who_posts_a_step_is_refused(
    as_person: Callable[..., Client], ingest: Advance
) -> None:
    version = ingest()

    text = step(as_person("rena", Role.REVIEWER), version, "validate")

    assert "needs the permission datasets.validate_datasetversion" in text
    assert version.state == State.INGESTED


def test_superuser_cannot_edit_or_delete_a_version(
    person: Callable[..., User], as_person: Callable[..., Client], ingest: Advance
) -> None:
    person("root", is_superuser=True)
    root = as_person("root")
    version = ingest()

    edited = root.post(page(version), {"state": "frozen", "digest": "x"})
    deleted = root.post(
        reverse("admin:datasets_datasetversion_delete", args=[version.pk]),
        {"post": "yes"},
    )

    version.refresh_from_db()
    assert (edited.status_code, deleted.status_code) == (403, 403)
    assert version.state == State.INGESTED


def test_anonymous_caller_is_sent_to_the_login(ingest: Advance) -> None:
    version = ingest()
    step_url = reverse("admin:datasets_version_step", args=[version.pk, "validate"])

    for url in (reverse(LIST), reverse(ADD), page(version), step_url):
        assert "/login/" in Client().post(url).headers["Location"]


def test_version_that_is_not_there_is_no_crash(olga: Client) -> None:
    url = reverse("admin:datasets_datasetversion_change", args=[uuid.uuid4()])

    assert olga.get(url).status_code == 302


def test_report_page_lists_its_findings(
    olga: Client, ingest: Advance, operator: Actor
) -> None:
    version = ingest([*eight_rows(), values(9, id="r1")])
    report = services.validate_version(actor=operator, version_id=str(version.pk))

    text = olga.get(
        reverse("admin:datasets_validationreport_change", args=[report.pk])
    ).content.decode()

    assert "duplicates.id" in text
    assert "errors" in text


def queries_for(client: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize("name", ["dataset", "datasetversion", "validationreport"])
def test_list_takes_as_many_queries_for_many_rows_as_for_few(
    olga: Client, ingest: Advance, operator: Actor, name: str
) -> None:
    def more(number: int) -> None:
        version = ingest([values(number), values(number + 1)])
        services.validate_version(actor=operator, version_id=str(version.pk))

    url = reverse(f"admin:datasets_{name}_changelist")
    more(1)
    queries_for(olga, url)
    few = queries_for(olga, url)
    for number in range(2, 7):
        more(number)

    assert queries_for(olga, url) == few
    assert few <= 9


def test_dataset_page_lists_versions_without_a_query_for_each(
    olga: Client, ingest: Advance, dataset: Dataset
) -> None:
    url = reverse("admin:datasets_dataset_change", args=[dataset.pk])
    ingest()
    queries_for(olga, url)
    few = queries_for(olga, url)
    for number in range(1, 6):
        ingest([values(number)])

    assert queries_for(olga, url) == few
