"""Manifests: what is refused, with what words, and that one content is one row."""

from __future__ import annotations

import pytest

from apps.accounts.roles import Role
from apps.core.errors import NotFound, NotPermitted, StateConflict
from apps.models_registry import services
from apps.models_registry.errors import DatasetNotFrozen, ManifestInvalid
from apps.models_registry.models import TrainingManifest, TrainingRun
from tests.models_registry import stages

pytestmark = pytest.mark.django_db


def test_a_manifest_is_known_by_its_content(operator, document):
    first = services.create_manifest(actor=operator, document=document)
    reordered = dict(reversed(document.items()))
    again = services.create_manifest(actor=operator, document=reordered)

    assert first == again
    assert first.dataset_lines.count() == 2


def test_an_unknown_dataset_is_refused(operator, document):
    document["datasets"]["replies"] = stages.UNKNOWN_DIGEST

    with pytest.raises(
        DatasetNotFrozen, match=r"datasets\.replies: No dataset version"
    ):
        services.create_manifest(actor=operator, document=document)

    assert not TrainingManifest.objects.exists()


def test_an_unfrozen_dataset_is_refused(operator, document):
    draft = stages.ingest(operator, "draft", stages.some_replies()[:4], "reply_library")
    document["datasets"]["replies"] = draft.digest

    with pytest.raises(DatasetNotFrozen, match="only a frozen version") as raised:
        services.create_manifest(actor=operator, document=document)

    assert raised.value.code == "dataset_not_frozen"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": "seven"}, "seed: 'seven' is not of type 'integer'"),
        ({"seed": -1}, "seed: -1 is less than the minimum"),
        ({"model": "Big Model"}, "model: 'Big Model' does not match"),
        ({"model": "absent"}, "no model named absent"),
        ({"datasets": {}}, "datasets: {} should be non-empty"),
        (
            {"datasets": {"messages": "latest"}},
            r"datasets\.messages: 'latest' does not",
        ),
        ({"compute": {"device": "abacus"}}, r"compute\.device: 'abacus'"),
        ({"runner": {"name": "magic", "version": "1"}}, "no training runner 'magic'"),
        ({"runner": {"name": "reply_ranker", "version": "0"}}, "at version 1 here"),
        ({"hyperparameters": {"epoch": 3}}, "no hyper-parameter 'epoch'"),
        ({"hyperparameters": {"epochs": 0}}, "epochs must be from 1 to 500"),
        ({"hyperparameters": {"epochs": 1.5}}, "epochs must be a whole number"),
        ({"hyperparameters": {"dropout": True}}, "dropout must be a number"),
        ({"surprise": 1}, "'surprise' was unexpected"),
    ],
)
def test_a_malformed_manifest_is_refused_by_name(operator, document, changes, said):
    with pytest.raises(ManifestInvalid, match=said):
        services.create_manifest(actor=operator, document={**document, **changes})


@pytest.mark.parametrize("content", [None, [], "manifest", 3, {}])
def test_what_is_no_manifest_at_all_is_refused(operator, content):
    with pytest.raises(ManifestInvalid, match="does not fit its schema"):
        services.create_manifest(actor=operator, document=content)


def test_every_problem_is_named_at_once(operator, document):
    broken = {**document, "seed": "x", "model": 3}

    with pytest.raises(ManifestInvalid) as raised:
        services.create_manifest(actor=operator, document=broken)

    assert len(raised.value.extra["problems"]) == 2


def test_the_datasets_must_be_those_the_runner_needs(operator, document):
    del document["datasets"]["replies"]

    with pytest.raises(ManifestInvalid, match="needs the datasets messages, replies"):
        services.create_manifest(actor=operator, document=document)


def test_a_reviewer_may_not_write_a_manifest(acting, document):
    with pytest.raises(NotPermitted):
        services.create_manifest(actor=acting("rob", Role.REVIEWER), document=document)


def test_a_run_of_an_unknown_manifest_is_refused(operator):
    for unknown in (stages.UNKNOWN_ID, "not an id"):
        with pytest.raises(NotFound):
            services.queue_run(actor=operator, manifest_id=unknown)


def test_a_queued_run_is_sent_once_it_is_committed(
    operator, manifest, sent, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        run = services.queue_run(actor=operator, manifest_id=str(manifest.pk))
        assert sent == []

    assert sent == [("models_registry.run_training", [str(run.pk)], "training")]


def test_a_lost_message_leaves_the_run_queued(
    operator, manifest, broken_broker, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        run = services.queue_run(actor=operator, manifest_id=str(manifest.pk))

    run.refresh_from_db()
    assert run.state == TrainingRun.State.QUEUED


def test_a_cancelled_run_stays_cancelled(operator, queued):
    services.cancel_run(actor=operator, run_id=str(queued.pk))

    with pytest.raises(StateConflict, match="cancelled already"):
        services.cancel_run(actor=operator, run_id=str(queued.pk))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "Big"}, "A name is"),
        ({"name": ""}, "A name is"),
        ({"task": "poetry"}, "A task is one of"),
        ({"description": " "}, "Say what the model is for"),
    ],
)
def test_a_model_needs_name_task_and_description(operator, changes, said):
    fields = {"name": "m", "task": "support_reply", "description": "d", **changes}

    with pytest.raises(Exception, match=said):
        services.register_model(actor=operator, **fields)


def test_a_model_name_is_taken_once(operator, model):
    with pytest.raises(StateConflict, match="already"):
        services.register_model(
            actor=operator, name=model.name, task=model.task, description="again"
        )
