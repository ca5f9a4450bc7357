"""The screens: what staff see, add and start by hand; nothing else is possible."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.roles import Role
from apps.models_registry import services
from apps.models_registry.models import (
    AliasChange,
    ModelAlias,
    ModelVersion,
    RegisteredModel,
    TrainingManifest,
    TrainingRun,
)
from tests.models_registry import stages

pytestmark = pytest.mark.django_db
MODELS = (
    "registeredmodel", "modelversion", "trainingmanifest", "trainingrun", "artifact",
    "evaluationreport", "modelalias", "aliaschange",
)  # fmt: skip


def url(model, page, *args):
    return reverse(f"admin:models_registry_{model}_{page}", args=args)


@pytest.fixture
def as_operator(client, operator):
    client.force_login(User.objects.get(pk=operator.id))
    return client


@pytest.fixture
def promoted(operator, candidate, approve):
    services.promote_version(
        actor=operator, version_id=str(approve(candidate).pk), reason="first"
    )
    return candidate


def step(client, model, row, verb, text=""):
    page = client.post(url(model, "step", row.pk, verb), {"text": text}, follow=True)
    return [str(message) for message in page.context["messages"]]


@pytest.mark.parametrize("kind", MODELS)
def test_every_list_and_row_can_be_read_and_not_changed(as_operator, promoted, kind):
    from django.apps import apps

    row = apps.get_model("models_registry", kind).objects.first()

    listing = as_operator.get(url(kind, "changelist"))
    page = as_operator.get(url(kind, "change", row.pk))

    assert (listing.status_code, page.status_code) == (200, 200)
    assert as_operator.post(url(kind, "change", row.pk), {}).status_code == 403
    assert as_operator.post(url(kind, "delete", row.pk), {}).status_code == 403


@pytest.mark.parametrize(
    ("kind", "most"),
    [("modelversion", 14), ("trainingrun", 14), ("modelalias", 14)],
)
def test_lists_ask_as_often_for_one_row_as_for_many(
    as_operator, promoted, train_another, django_assert_max_num_queries, kind, most
):
    train_another(12)

    with django_assert_max_num_queries(most):
        as_operator.get(url(kind, "changelist"))


def test_a_version_page_shows_reports_artifacts_and_lineage(as_operator, promoted):
    page = as_operator.get(url("modelversion", "change", promoted.pk)).content.decode()

    assert "0.600 to 0.980" in page
    assert promoted.artifacts["model.onnx"] in page
    assert promoted.run.manifest.digest in page


def test_a_model_is_registered_by_form(as_operator):
    as_operator.post(
        url("registeredmodel", "add"),
        {"name": "new-model", "task": "support_reply", "description": "For a test."},
    )

    assert RegisteredModel.objects.get().name == "new-model"


def test_a_manifest_is_added_as_json_and_queued(as_operator, document):
    as_operator.post(url("trainingmanifest", "add"), {"document": json.dumps(document)})
    manifest = TrainingManifest.objects.get()
    said = step(as_operator, "trainingmanifest", manifest, "queue")

    assert said[-1].startswith("Queued as run")
    assert manifest.runs.get().state == TrainingRun.State.QUEUED


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "This is not JSON"),
        ("{}", "is a required property"),
        ('{"seed": "x"}', "is not of type"),
    ],
)
def test_a_bad_manifest_comes_back_with_its_problems(as_operator, content, said):
    page = as_operator.post(url("trainingmanifest", "add"), {"document": content})

    assert said in page.content.decode()
    assert not TrainingManifest.objects.exists()


def test_a_run_is_cancelled_once(as_operator, queued):
    first = step(as_operator, "trainingrun", queued, "cancel")
    second = step(as_operator, "trainingrun", queued, "cancel")

    assert first[-1].startswith("Cancelled")
    assert "already" in second[-1]


def test_a_candidate_is_described_submitted_and_promoted_by_hand(
    as_operator, candidate, signers
):
    step(as_operator, "modelversion", candidate, "describe", "By hand.")
    step(as_operator, "modelversion", candidate, "submit", "Please read")
    stages.sign_pending(str(candidate.pk), *signers)
    said = step(as_operator, "modelversion", candidate, "promote", "Better")

    candidate.refresh_from_db()
    assert said[-1] == "In production."
    assert candidate.card == "By hand."
    assert ModelAlias.objects.get().version == candidate


def test_promoting_an_unapproved_version_is_refused_in_words(as_operator, candidate):
    said = step(as_operator, "modelversion", candidate, "promote", "Quick")

    assert "is not approved as it stands" in said[-1]
    assert not AliasChange.objects.exists()


def test_a_version_is_reopened_and_retired_by_hand(as_operator, candidate, approve):
    approve(candidate)

    step(as_operator, "modelversion", candidate, "reopen")
    step(as_operator, "modelversion", candidate, "retire")

    candidate.refresh_from_db()
    assert candidate.state == ModelVersion.State.RETIRED


def test_an_alias_is_rolled_back_by_hand(
    as_operator, operator, promoted, approve, train_another
):
    second = approve(train_another(12))
    services.promote_version(actor=operator, version_id=str(second.pk), reason="new")

    said = step(as_operator, "modelalias", ModelAlias.objects.get(), "rollback", "old")

    assert said[-1] == "Rolled back to version 1."


def test_an_evaluation_is_asked_for_by_hand(as_operator, trained, sent):
    assert (
        "evaluation queue" in step(as_operator, "modelversion", trained, "evaluate")[-1]
    )


def test_steps_are_offered_to_those_who_may_take_them(client, person, candidate):
    client.force_login(person("rob", Role.REVIEWER))

    page = client.get(url("modelversion", "change", candidate.pk)).content.decode()
    said = step(client, "modelversion", candidate, "submit")

    assert "row-steps" not in page
    assert "needs the permission" in said[-1]


def test_a_reviewer_gets_no_form_to_add(client, person):
    client.force_login(person("rob", Role.REVIEWER))

    assert client.get(url("registeredmodel", "add")).status_code == 403


def test_a_step_is_not_taken_by_get(as_operator, candidate):
    found = as_operator.get(url("modelversion", "step", candidate.pk, "retire"))

    candidate.refresh_from_db()
    assert found.status_code == 405
    assert candidate.state == ModelVersion.State.CANDIDATE
