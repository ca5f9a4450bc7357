"""The registry's fixtures, and a rollout of a second version beside production."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.experiments import services as experiments
from apps.experiments.models import Rollout
from apps.experiments.rollouts.assignment import reason_of
from apps.inference.models import InferenceRecord
from apps.models_registry import services as registry
from tests.models_registry import stages
from tests.models_registry.fixtures import *  # noqa: F403


@pytest.fixture
def _remembering(settings):
    settings.PE_TRAINING_RUNNERS = ["tests.inference.runners.RememberingRunner"]


@pytest.fixture
def control(_remembering, operator, candidate, approve):
    """Version 1, in production."""
    version = approve(candidate)
    registry.promote_version(
        actor=operator, version_id=str(version.pk), reason="first version"
    )
    return version


@pytest.fixture
def treated(control, train_another, approve):
    """Version 2, approved and served to nobody."""
    return approve(train_another(12))


def plan(*steps, **changes):
    return {
        "schema_version": 1,
        "model": "support-reply",
        "arms": {"candidate": 2},
        "steps": list(steps) or [{"shares": {"candidate": 0.2}}],
        **changes,
    }


@pytest.fixture
def draft(operator, treated):
    """Draft a rollout of version 2: ``draft({"shares": {"candidate": 0.1}}, ...)``."""

    def make(*steps, **changes) -> Rollout:
        return experiments.draft_rollout(
            actor=operator, document=plan(*steps, **changes)
        )

    return make


@pytest.fixture
def running(operator, signers, draft):
    """As ``draft``, signed for and started."""

    def make(*steps, **changes) -> Rollout:
        rollout_id = str(draft(*steps, **changes).pk)
        experiments.submit_rollout(actor=operator, rollout_id=rollout_id)
        stages.sign_pending(rollout_id, *signers)
        return experiments.start_rollout(actor=operator, rollout_id=rollout_id)

    return make


@pytest.fixture
def answered():
    """Record requests: ``answered(rollout, "candidate", 20, decision="block")``."""

    def make(rollout: Rollout, arm: str, count: int, **changes) -> None:
        now = timezone.now()
        given = {
            "api_key_id": uuid.uuid4(),
            "key_family_id": uuid.UUID(int=1),
            "model_name": rollout.model.name,
            "router_reason": reason_of(str(rollout.pk), rollout.step, arm),
            "version_digest": "sha256:v",
            "policy_digest": "sha256:p",
            "locale": "en",
            "text_digest": "hmac-sha256:x",
            "decision": "allow",
            "source": "fixed",
            "timings": {"predict_ms": 4.0},
            **changes,
        }
        if given["decision"] == "escalate":
            given["escalation_id"] = uuid.uuid4()
        InferenceRecord.objects.bulk_create(
            InferenceRecord(created_at=now + timedelta(milliseconds=number), **given)
            for number in range(count)
        )

    return make
