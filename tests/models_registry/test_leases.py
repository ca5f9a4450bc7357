"""Leases: one worker at a time, and a ghost writes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.permissions import system_actor
from apps.accounts.roles import Role
from apps.core.errors import NotFound, NotPermitted
from apps.models_registry import services, training
from apps.models_registry.contracts import TrainedArtifact, TrainingOutcome
from apps.models_registry.errors import LeaseLost
from apps.models_registry.models import (
    Checkpoint,
    MetricPoint,
    ModelVersion,
    TrainingRun,
)

pytestmark = pytest.mark.django_db
TRAINER = system_actor("trainer")
OUTCOME = TrainingOutcome(
    artifacts={"model.onnx": TrainedArtifact("onnx", b"graph")},
    signature={},
    adapter="reply_ranker_onnx",
    last_step=3,
)


def claim(run, owner="worker-1"):
    return services.claim_run(actor=TRAINER, run_id=str(run.pk), owner=owner)


def expire(run):
    long_ago = timezone.now() - timedelta(hours=1)
    TrainingRun.objects.filter(pk=run.pk).update(lease_expires_at=long_ago)


@pytest.fixture
def ghost(queued):
    """The lease of a worker whose run has been taken over."""
    lease = claim(queued)
    expire(queued)
    assert claim(queued, "worker-2").token > lease.token
    return lease


def test_a_run_is_claimed_once(queued):
    first, second = claim(queued), claim(queued, "worker-2")

    assert first.token == 1
    assert second is None


def test_an_expired_lease_is_retaken_with_a_higher_token(queued):
    first = claim(queued)
    expire(queued)

    second = claim(queued, "worker-2")

    assert second.token == first.token + 1


@pytest.mark.parametrize(
    "write",
    [
        lambda lease: services.heartbeat_run(actor=TRAINER, lease=lease),
        lambda lease: services.record_metrics(
            actor=TRAINER, lease=lease, step=1, values={"loss": 1.0}
        ),
        lambda lease: services.record_checkpoint(
            actor=TRAINER, lease=lease, step=1, content=b"state"
        ),
        lambda lease: services.complete_run(
            actor=TRAINER, lease=lease, outcome=OUTCOME
        ),
        lambda lease: services.fail_run(actor=TRAINER, lease=lease, code="x"),
        lambda lease: services.release_run(actor=TRAINER, lease=lease),
    ],
)
def test_a_ghost_writes_nothing(ghost, queued, write):
    with pytest.raises(LeaseLost):
        write(ghost)

    queued.refresh_from_db()
    assert (queued.state, queued.lease_owner) == ("running", "worker-2")
    assert not MetricPoint.objects.exists()
    assert not Checkpoint.objects.exists()
    assert not ModelVersion.objects.exists()


def test_a_heartbeat_moves_the_end_of_the_lease(queued):
    lease = claim(queued)
    expire(queued)

    services.heartbeat_run(actor=TRAINER, lease=lease)

    queued.refresh_from_db()
    assert queued.lease_expires_at > timezone.now()


def test_the_sweep_takes_lost_runs_and_leaves_the_others(
    queued, sent, django_capture_on_commit_callbacks
):
    claim(queued)
    assert services.requeue_lost_runs(actor=TRAINER) == []
    expire(queued)

    with django_capture_on_commit_callbacks(execute=True):
        taken = services.requeue_lost_runs(actor=TRAINER)

    queued.refresh_from_db()
    assert taken == [str(queued.pk)]
    assert (queued.state, queued.fencing_token) == ("queued", 2)
    assert sent == [("models_registry.run_training", taken, "training")]


def test_a_message_that_was_lost_is_sent_again_and_only_once(queued, sent):
    long_ago = timezone.now() - timedelta(minutes=10)
    TrainingRun.objects.filter(pk=queued.pk).update(queued_at=long_ago)

    first = services.requeue_lost_runs(actor=TRAINER)
    second = services.requeue_lost_runs(actor=TRAINER)

    assert (first, second) == ([str(queued.pk)], [])
    assert len(sent) == 1


def test_a_run_that_keeps_dying_is_given_up(queued, settings):
    settings.PE_TRAINING_ATTEMPTS = 2
    for _ in range(2):
        claim(queued)
        expire(queued)

    assert claim(queued) is None

    queued.refresh_from_db()
    assert (queued.state, queued.failure_code) == ("failed", "attempts_exhausted")


def test_a_lost_lease_ends_the_heartbeat_quietly(ghost, settings):
    settings.PE_TRAINING_HEARTBEAT_S = 0
    heartbeat = training.Heartbeat(TRAINER, ghost)

    heartbeat._beat()


def test_people_do_not_write_as_workers(queued, acting):
    with pytest.raises(NotPermitted):
        services.claim_run(
            actor=acting("otto", Role.OPERATOR), run_id=str(queued.pk), owner="otto"
        )


def test_an_unknown_run_is_not_found():
    with pytest.raises(NotFound):
        services.claim_run(actor=TRAINER, run_id="nonsense", owner="worker")
