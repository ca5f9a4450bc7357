"""A run through the services: queued, trained, a version; killed, it ends the same."""

from __future__ import annotations

import pytest

from apps.accounts.permissions import system_actor
from apps.core.errors import Unavailable
from apps.models_registry import services, tasks, training
from apps.models_registry.contracts import TextRequest
from apps.models_registry.models import ModelVersion, TrainingRun
from apps.models_registry.selectors import as_servable
from apps.models_registry.serving import load_adapter
from tests.models_registry import stages

pytestmark = pytest.mark.django_db


def test_a_queued_run_becomes_a_draft_version(queued):
    version = training.run_training(str(queued.pk))

    queued.refresh_from_db()
    assert queued.state == TrainingRun.State.SUCCEEDED
    assert (version.state, version.number) == (ModelVersion.State.DRAFT, 1)
    assert version.author == queued.requested_by
    assert sorted(version.artifacts) == [
        "featuriser.json", "model.onnx", "model.safetensors", "replies.json",
    ]  # fmt: skip
    assert queued.metrics.filter(name="train_loss").count() == queued.step // 5 + (
        queued.step % 5 > 0
    )
    assert queued.checkpoints.exists()


def test_a_message_delivered_twice_trains_once(registered_tasks, queued):
    tasks.run_training.apply(args=[str(queued.pk)], throw=True)
    tasks.run_training.apply(args=[str(queued.pk)], throw=True)

    assert ModelVersion.objects.count() == 1


def test_the_same_manifest_gives_the_same_artifacts(operator, manifest, trained):
    run = services.queue_run(actor=operator, manifest_id=str(manifest.pk))

    again = training.run_training(str(run.pk))

    assert again.artifacts == trained.artifacts
    assert again.number == 2


class Killed(BaseException):
    """Stands for a process that is gone: nothing catches it."""


def test_a_run_killed_after_any_checkpoint_ends_the_same(
    operator, manifest, trained, monkeypatch
):
    run = services.queue_run(actor=operator, manifest_id=str(manifest.pk))
    record = training.LeasedLog.checkpoint

    def record_then_die(self, step, content):
        record(self, step, content)
        if step == 20:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(training.LeasedLog, "checkpoint", record_then_die)
        with pytest.raises(Killed):
            training.run_training(str(run.pk))
    TrainingRun.objects.filter(pk=run.pk).update(
        lease_expires_at=run.created_at, heartbeat_at=run.created_at
    )
    services.requeue_lost_runs(actor=system_actor("trainer"))

    resumed = training.run_training(str(run.pk))

    run.refresh_from_db()
    assert run.attempts == 2
    assert resumed.artifacts == trained.artifacts
    assert stages.numbers(run) == stages.numbers(trained.run)


def test_a_run_interrupted_by_shutdown_is_handed_back(queued, monkeypatch):
    def stop(*_):
        raise SystemExit

    monkeypatch.setattr(training.LeasedLog, "checkpoint", stop)

    with pytest.raises(SystemExit):
        training.run_training(str(queued.pk))

    queued.refresh_from_db()
    assert (queued.state, queued.attempts) == (TrainingRun.State.QUEUED, 0)
    assert str(queued.pk) in services.requeue_lost_runs(actor=system_actor("trainer"))


@pytest.mark.parametrize(
    ("error", "code"),
    [(Unavailable("No."), "unavailable"), (ValueError("No."), "internal_error")],
)
def test_a_run_that_fails_says_with_what_code(queued, monkeypatch, error, code):
    def fail(*_):
        raise error

    monkeypatch.setattr(training.LeasedLog, "checkpoint", fail)

    with pytest.raises(type(error)):
        training.run_training(str(queued.pk))

    queued.refresh_from_db()
    assert (queued.state, queued.failure_code) == (TrainingRun.State.FAILED, code)


def test_a_cancelled_run_makes_no_version(operator, queued, monkeypatch):
    record = training.LeasedLog.metrics

    def cancel_then_record(self, step, values):
        if step == 5:
            services.cancel_run(actor=operator, run_id=str(queued.pk))
        record(self, step, values)

    monkeypatch.setattr(training.LeasedLog, "metrics", cancel_then_record)

    assert training.run_training(str(queued.pk)) is None
    queued.refresh_from_db()
    assert queued.state == TrainingRun.State.CANCELLED
    assert not ModelVersion.objects.exists()


def test_a_trained_version_answers_with_an_approved_reply(trained, replies):
    adapter = load_adapter(as_servable(trained))

    answer = adapter.predict([TextRequest("I cannot sleep and lie awake all night")])[0]

    assert sum(answer.labels.values()) == pytest.approx(1.0, abs=1e-5)
    assert answer.reply_ranking[0] == answer.reply_id
    assert answer.model_version_digest == as_servable(trained).digest
