"""Recording what evaluators measured. A report is part of what people sign for."""

from __future__ import annotations

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.accounts.permissions import require
from apps.approvals.services import void_if_changed
from apps.core.actors import Actor
from apps.core.digests import digest_json
from apps.core.errors import InvalidInput, StateConflict, Unavailable
from apps.models_registry.contracts import ReportDraft
from apps.models_registry.models import EvaluationReport, ModelVersion
from apps.models_registry.selectors import SUBJECT_LABEL, missing_reports
from apps.models_registry.services.catalog import open_version
from apps.models_registry.services.states import State, record_version_event

EVALUATION_TASK = "experiments.evaluate_required"


@transaction.atomic
def request_evaluation(*, actor: Actor, version_id: str) -> None:
    """Have every required evaluator measure a version, on the evaluation queue.

    Evaluators live in an app above this one, so the task is known by its name only.
    """
    require(actor, "models_registry.evaluate_modelversion")
    version = open_version(version_id)
    record_version_event(actor, "evaluation_requested", version)
    transaction.on_commit(lambda: _send(version_id))


def _send(version_id: str) -> None:
    try:
        current_app.send_task(EVALUATION_TASK, args=[version_id], queue="evaluation")
    except (OperationalError, OSError) as error:
        raise Unavailable(
            "The evaluation could not be sent to its queue; ask for it again."
        ) from error


@transaction.atomic
def record_report(
    *, actor: Actor, version_id: str, report: ReportDraft
) -> EvaluationReport:
    """The report's row. The last required one makes a draft a candidate.

    Voids sign-offs under way. Measuring again what was measured returns the same row;
    StateConflict when it gives other numbers, since an evaluator must repeat itself.
    """
    require(actor, "models_registry.evaluate_modelversion")
    if not report.metrics:
        raise InvalidInput(f"The {report.evaluator} report holds no metric.")
    version = open_version(version_id)
    content = _content(report)
    digest = digest_json({"version": version_id, **content})
    known = _same_measurement(version, report)
    if known is not None:
        _refuse_other_numbers(known, digest)
        return known
    row = EvaluationReport.objects.create(
        version=version,
        evaluator=report.evaluator,
        evaluator_version=report.evaluator_version,
        dataset_digest=report.dataset_digest,
        seed=report.seed,
        metrics=content["metrics"],
        digest=digest,
    )
    _after_report(actor, version, row)
    return row


def _content(report: ReportDraft) -> dict[str, object]:
    return {
        "evaluator": report.evaluator,
        "evaluator_version": report.evaluator_version,
        "dataset": report.dataset_digest,
        "seed": report.seed,
        "metrics": [metric.as_dict() for metric in report.metrics],
    }


def _same_measurement(
    version: ModelVersion, report: ReportDraft
) -> EvaluationReport | None:
    return version.reports.filter(
        evaluator=report.evaluator,
        evaluator_version=report.evaluator_version,
        dataset_digest=report.dataset_digest,
        seed=report.seed,
    ).first()


def _refuse_other_numbers(known: EvaluationReport, digest: str) -> None:
    if known.digest != digest:
        raise StateConflict(
            f"{known} was recorded with other numbers for the same dataset and seed: "
            "the evaluator does not repeat itself, so neither report can be trusted."
        )


def _after_report(actor: Actor, version: ModelVersion, row: EvaluationReport) -> None:
    if version.state == State.DRAFT and not missing_reports(version):
        ModelVersion.objects.filter(pk=version.pk, state=State.DRAFT).update(
            state=State.CANDIDATE
        )
    record_version_event(
        actor,
        "report_recorded",
        version,
        {"evaluator": row.evaluator, "report": row.digest},
    )
    void_if_changed(
        actor=actor, subject_label=SUBJECT_LABEL, subject_id=str(version.pk)
    )
