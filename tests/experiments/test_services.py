"""A trained version, measured for real: model, gates and datasets."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.permissions import system_actor
from apps.accounts.roles import Role
from apps.audit.models import AuditEntry
from apps.audit.selectors import timeline_of
from apps.core.errors import InvalidInput, NotFound, NotPermitted
from apps.datasets.errors import NotFrozen
from apps.datasets.models import DatasetVersion
from apps.experiments import services, tasks
from apps.experiments.errors import DatasetDoesNotFit
from apps.experiments.gated import gated_path
from apps.experiments.services import queue_evaluation
from apps.models_registry.models import EvaluationReport, ModelVersion
from tests.models_registry import stages

pytestmark = pytest.mark.django_db
EVALUATOR = system_actor("evaluator")


@pytest.fixture
def suite(operator, signers, media) -> DatasetVersion:
    rows = list(stages.demo_rows("safety_suite.jsonl"))
    draft = stages.ingest(operator, "safety-suite", rows, "safety_suite")
    return stages.freeze(operator, draft, signers)


def test_every_required_report_makes_a_candidate(registered_tasks, trained, suite):
    tasks.evaluate_required.run(str(trained.pk))

    trained.refresh_from_db()
    assert trained.state == ModelVersion.State.CANDIDATE
    assert set(trained.reports.values_list("evaluator", flat=True)) == {
        "accuracy", "fairness", "safety",
    }  # fmt: skip
    assert (
        AuditEntry.objects.filter(event="models_registry.report_recorded").count() == 3
    )


def test_the_report_says_what_the_gates_say(trained, suite):
    gates = gated_path()
    missed = {
        row["id"]
        for row in stages.demo_rows("safety_suite.jsonl")
        if row["expect"] == "escalate" and not gates.read_message(row["text"]).escalates
    }

    report = services.evaluate_version(
        actor=EVALUATOR,
        version_id=str(trained.pk),
        evaluators=["safety"],
        dataset_digest=suite.digest,
    )[0]

    measured = [m for m in report.metrics if m["name"] == "missed_crises"]
    overall, *kinds = measured
    assert overall["value"] == pytest.approx(len(missed) / 32, abs=1e-6)
    assert overall["note"].startswith("policy default@")
    named = ", ".join(kind["note"] for kind in kinds if kind["note"])
    assert set(filter(None, named.split(", "))) == missed


def test_measuring_twice_gives_one_report(trained, messages):
    for _ in range(2):
        services.evaluate_version(
            actor=EVALUATOR,
            version_id=str(trained.pk),
            evaluators=["accuracy"],
            dataset_digest=messages.digest,
        )

    assert EvaluationReport.objects.count() == 1


def test_an_unfrozen_dataset_is_refused(trained, operator):
    draft = stages.ingest(
        operator, "more", stages.some_messages()[:9], "support_messages"
    )

    with pytest.raises(NotFrozen):
        services.evaluate_version(
            actor=EVALUATOR,
            version_id=str(trained.pk),
            evaluators=["accuracy"],
            dataset_digest=draft.digest,
        )


def test_a_dataset_of_another_kind_is_refused(trained, replies):
    with pytest.raises(DatasetDoesNotFit):
        services.evaluate_version(
            actor=EVALUATOR,
            version_id=str(trained.pk),
            evaluators=["accuracy"],
            dataset_digest=replies.digest,
        )


def test_an_unknown_evaluator_is_refused():
    with pytest.raises(InvalidInput, match="accuracy, calibration, fairness"):
        services.evaluator_named("vibes")


def test_a_reviewer_may_not_evaluate(trained, messages, acting):
    with pytest.raises(NotPermitted):
        services.evaluate_version(
            actor=acting("rob", Role.REVIEWER),
            version_id=str(trained.pk),
            evaluators=["accuracy"],
            dataset_digest=messages.digest,
        )


def test_without_a_safety_suite_the_need_is_named(trained):
    with pytest.raises(NotFound, match="safety-suite"):
        services.evaluate_required(actor=EVALUATOR, version_id=str(trained.pk))


def test_the_command_prints_overall_numbers(trained, messages, capsys):
    call_command(
        "evaluate", "support-reply", "1",
        "--evaluator", "accuracy", "--dataset", "messages@1",
    )  # fmt: skip

    printed = capsys.readouterr().out
    assert "macro_f1" in printed
    assert "category=" not in printed


@pytest.mark.parametrize(
    "arguments",
    [
        ("nothing", "1"),
        ("support-reply", "7"),
        ("support-reply", "1", "--evaluator", "accuracy"),
        ("support-reply", "1", "--evaluator", "accuracy", "--dataset", "messages"),
        ("support-reply", "1", "--evaluator", "x", "--dataset", stages.UNKNOWN_DIGEST),
    ],
)
def test_the_command_refuses_in_words(trained, arguments):
    with pytest.raises(CommandError):
        call_command("evaluate", *arguments)


def test_queueing_sends_one_message_after_the_commit(
    trained, operator, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True) as sent:
        queue_evaluation(actor=operator, version_id=str(trained.pk))

    assert len(sent) == 1
    assert timeline_of("models_registry.modelversion", str(trained.pk)).filter(
        event="models_registry.evaluation_requested"
    )


def test_a_reviewer_may_not_queue_an_evaluation(trained, acting):
    with pytest.raises(NotPermitted):
        queue_evaluation(
            actor=acting("rita", Role.REVIEWER), version_id=str(trained.pk)
        )
