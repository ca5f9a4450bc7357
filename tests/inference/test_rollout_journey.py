"""Requests over HTTP while a rollout runs: real gates, real models, real records."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from apps.accounts.permissions import system_actor
from apps.experiments import services as experiments
from apps.experiments.mirroring import ShadowMirror, compare_shadows
from apps.experiments.models import ShadowComparison
from apps.inference import mirroring
from apps.inference.models import InferenceRecord
from apps.models_registry.models import ModelVersion
from tests.models_registry import stages

pytestmark = pytest.mark.django_db
BENIGN = "I keep waking at night and worrying about my exam."


@pytest.fixture
def rolled_out(operator, served, train_another, approve, signers):
    """Start a rollout of version 2 with one step: ``rolled_out({"shares": ...})``."""
    approve(train_another(12))

    def make(step):
        rollout = experiments.draft_rollout(
            actor=operator,
            document={
                "schema_version": 1,
                "model": "support-reply",
                "arms": {"candidate": 2},
                "steps": [step],
            },
        )
        rollout_id = str(rollout.pk)
        experiments.submit_rollout(actor=operator, rollout_id=rollout_id)
        stages.sign_pending(rollout_id, *signers)
        return experiments.start_rollout(actor=operator, rollout_id=rollout_id)

    return make


def test_requests_go_to_the_arm_of_the_participant_and_records_name_it(
    caller, rolled_out
):
    rollout = rolled_out({"shares": {"candidate": 0.5}})

    answers = {
        name: [
            caller.predict(BENIGN, participant_ref=name).json()["version"]
            for _ in range(2)
        ]
        for name in ("p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8")
    }

    assert all(first == again for first, again in answers.values())
    assert {first for first, _ in answers.values()} == {"1", "2"}
    for record in InferenceRecord.objects.all():
        arm = "candidate" if record.version == "2" else "control"
        assert record.router_reason == f"rollout:{rollout.pk}/0/{arm}"
        assert record.source == "model"


def test_the_next_request_after_a_stop_goes_to_production(caller, rolled_out, operator):
    rollout = rolled_out({"shares": {"candidate": 0.9}})
    before = {
        caller.predict(BENIGN, participant_ref=f"p{n}").json()["version"]
        for n in "1234"
    }

    experiments.stop_rollout(actor=operator, rollout_id=str(rollout.pk), reason="odd")

    after = {
        caller.predict(BENIGN, participant_ref=f"p{n}").json()["version"]
        for n in "1234"
    }
    assert "2" in before
    assert after == {"1"}


def test_a_candidate_that_cannot_answer_is_taken_back_by_one_look(
    caller, rolled_out, train_another, media, settings
):
    rolled_out({"shares": {"candidate": 0.5}})
    broken = ModelVersion.objects.get(number=2)
    for digest in broken.artifacts.values():
        if digest not in ModelVersion.objects.get(number=1).artifacts.values():
            name = digest.removeprefix("sha256:")
            (media / "artifacts" / name[:2] / name).unlink()
    codes = [
        caller.predict(BENIGN, participant_ref=f"p{n}").status_code for n in range(40)
    ]
    assert {200, 503} == set(codes)

    taken_back = experiments.watch_rollouts(actor=system_actor("rollouts"))

    assert len(taken_back) == 1
    assert {
        caller.predict(BENIGN, participant_ref=f"p{n}").status_code for n in range(9)
    } == {200}


def test_a_shadow_is_compared_and_never_delivered(caller, rolled_out, monkeypatch):
    kept = []
    monkeypatch.setattr(ShadowMirror, "mirror", lambda self, *given: kept.append(given))
    rollout = rolled_out({"shares": {}, "shadow": ["candidate"]})

    answer = caller.predict(BENIGN).json()
    compare_shadows(*kept[0])

    assert answer["version"] == "1"
    row = ShadowComparison.objects.get()
    assert (row.rollout_id, row.arm, str(row.record_id)) == (
        rollout.pk, "candidate", answer["id"],
    )  # fmt: skip
    assert (row.served_decision, row.shadow_decision) == ("allow", "allow")
    assert row.shadow_ms > 0


def test_a_message_that_the_gates_stop_is_not_mirrored(caller, rolled_out, monkeypatch):
    kept = []
    monkeypatch.setattr(ShadowMirror, "mirror", lambda self, *given: kept.append(given))
    rolled_out({"shares": {}, "shadow": ["candidate"]})

    answer = caller.predict("I am going to kill myself tonight.").json()

    assert answer["decision"] == "escalate"
    assert kept == []


def test_a_shadow_that_fails_is_a_finding_and_changes_no_answer(
    caller, rolled_out, monkeypatch, media
):
    kept = []
    monkeypatch.setattr(ShadowMirror, "mirror", lambda self, *given: kept.append(given))
    rolled_out({"shares": {}, "shadow": ["candidate"]})
    name = ModelVersion.objects.get(number=2).artifacts["model.onnx"]
    name = name.removeprefix("sha256:")
    (media / "artifacts" / name[:2] / name).unlink()

    assert caller.predict(BENIGN).status_code == 200
    compare_shadows(*kept[0])

    assert ShadowComparison.objects.get().shadow_decision == "unavailable"


@pytest.mark.django_db(transaction=True)
def test_mirroring_happens_in_a_thread_of_the_process(caller, rolled_out):
    mirroring._mirror_at.cache_clear()
    rolled_out({"shares": {}, "shadow": ["candidate"]})

    caller.predict(BENIGN)
    mirroring._mirror_at("apps.experiments.mirroring.ShadowMirror").wait()

    assert ShadowComparison.objects.count() == 1


def test_a_full_line_drops_comparisons_and_delays_nobody(monkeypatch):
    monkeypatch.setattr(ShadowMirror, "_ensure_thread", lambda self: None)
    mirror = ShadowMirror()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(lambda: [mirror.mirror("key", n) for n in range(100)])
        done.result(timeout=5)

    assert mirror._waiting.full()
