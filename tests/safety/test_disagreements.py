"""The queue of disagreements: no words, reviewed once, exported on record."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from apps.accounts.roles import Role
from apps.audit.models import AuditEntry
from apps.core.actors import Actor
from apps.core.errors import InvalidInput, NotPermitted, StateConflict
from apps.safety import services
from apps.safety.contracts import Decision, Stage
from apps.safety.judges.contracts import Disagreement
from apps.safety.models import JudgeDisagreement

pytestmark = pytest.mark.django_db

FOUND = Disagreement(
    "crisis", "guard", "remote-1", Stage.INPUT, "en-GB", Decision.ALLOW, 0.1, 0.9,
    "hmac:1", "sha256:2",
)  # fmt: skip


def queued() -> JudgeDisagreement:
    services.queue_disagreements([FOUND])
    return JudgeDisagreement.objects.get()


def test_the_same_disagreement_is_one_row() -> None:
    services.queue_disagreements([FOUND, replace(FOUND, gate="toxicity")])
    services.queue_disagreements([FOUND])

    assert JudgeDisagreement.objects.count() == 2
    assert JudgeDisagreement.objects.first().distance == pytest.approx(0.8)  # type: ignore[union-attr]


def test_a_database_that_takes_no_rows_costs_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def down(*_: object, **__: object) -> None:
        raise OperationalError("down")

    monkeypatch.setattr(JudgeDisagreement.objects, "bulk_create", down)

    services.queue_disagreements([FOUND])

    assert JudgeDisagreement.objects.count() == 0


def test_a_clinician_says_who_was_right_once(clinician: Actor) -> None:
    row = queued()

    done = services.review_disagreement(
        actor=clinician, disagreement_id=str(row.pk), outcome="judge"
    )

    assert (done.state, done.outcome) == ("reviewed", "judge")
    assert AuditEntry.objects.filter(event="safety.disagreement_reviewed").count() == 1
    with pytest.raises(StateConflict):
        services.review_disagreement(
            actor=clinician, disagreement_id=str(row.pk), outcome="gate"
        )


def test_who_may_not_review_and_what_is_no_outcome_is_refused(
    operator: Actor, clinician: Actor
) -> None:
    row = queued()

    with pytest.raises(NotPermitted):
        services.review_disagreement(
            actor=operator, disagreement_id=str(row.pk), outcome="gate"
        )
    with pytest.raises(InvalidInput):
        services.review_disagreement(
            actor=clinician, disagreement_id=str(row.pk), outcome="maybe"
        )
    assert JudgeDisagreement.objects.get().state == "open"


def test_the_screen_lists_reviews_and_exports(
    signed_in: Callable[..., Client],
) -> None:
    row = queued()
    client = signed_in(Role.CLINICIAN, Role.COMPLIANCE)
    list_url = reverse("admin:safety_judgedisagreement_changelist")
    step = reverse("admin:safety_judgedisagreement_step", args=[row.pk, "review"])

    listed = client.get(list_url, secure=True).content.decode()
    client.post(step, {"outcome": "neither"}, follow=True, secure=True)
    export = client.get(reverse("admin:safety_judgedisagreement_export"), secure=True)

    assert "guard" in listed
    lines = b"".join(export.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert json.loads(lines[0])["outcome"] == "neither"
    assert AuditEntry.objects.filter(event="safety.disagreements_exported").exists()


def test_a_responder_has_no_such_screen(signed_in: Callable[..., Client]) -> None:
    client = signed_in(Role.RESPONDER)
    url = reverse("admin:safety_judgedisagreement_changelist")

    assert client.get(url, secure=True).status_code == 403


def test_the_command_writes_json_lines(tmp_path: Path) -> None:
    queued()
    target = tmp_path / "out.jsonl"

    call_command("export_disagreements", output=target)

    (row,) = map(json.loads, target.read_text().splitlines())
    assert row["judge_score"] == 0.9
    assert "text" not in row
