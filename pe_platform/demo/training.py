"""From frozen datasets to production: manifest, run, reports, sign-offs."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings

from apps.core.errors import NotFound, StateConflict, Unavailable
from apps.datasets.models import DatasetVersion
from apps.experiments.services import queue_evaluation
from apps.models_registry.models import ModelVersion, TrainingManifest, TrainingRun
from apps.models_registry.selectors import (
    SUBJECT_LABEL,
    missing_reports,
    model_named,
    version_for_alias,
    versions_of,
)
from apps.models_registry.services import (
    create_manifest,
    describe_version,
    promote_version,
    queue_run,
    register_model,
    submit_version,
)
from pe_platform.demo import cast
from pe_platform.demo.cast import CARD, CLINICIAN, MODEL, OPERATOR, REVIEWER, TASK
from pe_platform.demo.people import acting
from pe_platform.demo.signing import sign_pending

Say = Callable[[str], None]
State = ModelVersion.State
RUN_TIMEOUT_S = 600.0
EVALUATION_TIMEOUT_S = 600.0
# Measuring takes seconds; a minute without a report means that nobody is at it.
ASK_AGAIN_S = 60.0
POLL_S = 1.0


def ensure_run(datasets: dict[str, DatasetVersion], say: Say) -> TrainingRun:
    """A succeeded run of the demo's manifest, queued if there is none."""
    manifest = _manifest(datasets)
    run = manifest.runs.exclude(
        state__in=[TrainingRun.State.FAILED, TrainingRun.State.CANCELLED]
    ).first()
    if run is None:
        run = queue_run(actor=acting(OPERATOR), manifest_id=str(manifest.pk))
    return _wait_for_run(run, say)


def _manifest(datasets: dict[str, DatasetVersion]) -> TrainingManifest:
    actor = acting(OPERATOR)
    try:
        model = model_named(MODEL)
    except NotFound:
        model = register_model(
            actor=actor, name=MODEL, task=TASK, description=CARD.splitlines()[0]
        )
    # One manifest serves every later start, whatever the code revision is by then.
    known = TrainingManifest.objects.filter(model=model).order_by("created_at").first()
    if known is not None:
        return known
    document = {
        "schema_version": 1,
        "model": model.name,
        "runner": {"name": "reply_ranker", "version": _runner_version()},
        "datasets": {part: version.digest for part, version in datasets.items()},
        "hyperparameters": dict(cast.HYPERPARAMETERS),
        "seed": 20261123,
        "compute": {"device": "cpu"},
        "code_revision": settings.PE_CODE_REVISION,
    }
    return create_manifest(actor=actor, document=document)


def _runner_version() -> str:
    from apps.models_registry.families import runner_named

    return runner_named("reply_ranker").version


def _wait_for_run(run: TrainingRun, say: Say) -> TrainingRun:
    deadline, shown = time.monotonic() + RUN_TIMEOUT_S, -1
    while time.monotonic() < deadline:
        run.refresh_from_db()
        if run.state == TrainingRun.State.SUCCEEDED:
            return run
        if run.step != shown and run.step:
            shown = run.step
            point = run.metrics.filter(name="train_loss").order_by("-step").first()
            loss = f", loss {point.value:.3f}" if point else ""
            say(f"  training: step {shown}{loss}")
        if run.state not in TrainingRun.OPEN_STATES:
            raise StateConflict(f"The training run {run.pk} ended as {run.state}.")
        time.sleep(POLL_S)
    raise Unavailable("The training worker did not finish in time; see its log.")


def ensure_production(run: TrainingRun, say: Say) -> ModelVersion:
    """The run's version evaluated, submitted, signed by two people and promoted."""
    version = versions_of(MODEL).get(run=run)
    actor, version_id = acting(OPERATOR), str(version.pk)
    if version.state == State.DRAFT:
        if not version.card:
            describe_version(actor=actor, version_id=version_id, card=CARD)
        _evaluate(version, say)
        version.refresh_from_db()
    if version.state in (State.DRAFT, State.CANDIDATE):
        submit_version(actor=actor, version_id=version_id, reason="first version")
    sign_pending(
        SUBJECT_LABEL,
        version_id,
        (REVIEWER, CLINICIAN),
        "Reports, card and replies read.",
    )
    version.refresh_from_db()
    try:
        served = version_for_alias(MODEL)
    except NotFound:
        promote_version(
            actor=actor, version_id=version_id, reason="signed by two people"
        )
        served = version_for_alias(MODEL)
    return ModelVersion.objects.select_related("model").get(pk=served.id)


def _evaluate(version: ModelVersion, say: Say) -> None:
    """Every required report, asked for again when a worker was lost with the task."""
    deadline = time.monotonic() + EVALUATION_TIMEOUT_S
    waiting, ask_at = missing_reports(version), time.monotonic()
    while waiting:
        now = time.monotonic()
        if now > deadline:
            raise Unavailable(f"No report from {', '.join(waiting)}: see the log.")
        if now >= ask_at:
            queue_evaluation(actor=acting(OPERATOR), version_id=str(version.pk))
            ask_at = now + ASK_AGAIN_S
        time.sleep(POLL_S)
        still = missing_reports(version)
        for name in sorted(set(waiting) - set(still)):
            say(f"  report written: {name}")
            ask_at = now + ASK_AGAIN_S
        waiting = still
