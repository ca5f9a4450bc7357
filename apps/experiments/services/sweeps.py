"""Sweeps: started by a person, led on by the platform, every trial a training run.

``advance_sweep`` looks at the rows and does what is due: it may be killed anywhere and
called again by anyone. Trials are trained in the name of the person who started it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from apps.accounts.permissions import acting_user, actor_for_user, require
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.errors import PlatformError, StateConflict
from apps.experiments.errors import SweepInvalid
from apps.experiments.models import Sweep, Trial
from apps.experiments.selectors.sweeps import (
    SWEEP_LABEL,
    as_tried,
    plan_of_sweep,
    sweep_by_id,
    tried_in,
)
from apps.experiments.sweeps.document import SweepPlan, parse_sweep
from apps.experiments.sweeps.trials import best_of
from apps.models_registry.manifests import check_manifest
from apps.models_registry.models import ModelVersion, TrainingRun
from apps.models_registry.selectors import model_named
from apps.models_registry.services import (
    cancel_run,
    create_manifest,
    queue_run,
    retire_version,
)

logger = logging.getLogger(__name__)
LONGEST_FAILURE = 300


@transaction.atomic
def start_sweep(*, actor: Actor, document: object) -> Sweep:
    """A sweep with its first trials queued.

    SweepInvalid with every problem; ManifestInvalid when the runner would refuse an
    end of a range or a choice, so that no trial fails for it later.
    """
    require(actor, "experiments.add_sweep")
    plan = parse_sweep(document)
    for values in plan.corners():
        check_manifest(plan.manifest_with(values))
    sweep = Sweep.objects.create(
        model=model_named(plan.manifest["model"]),
        document=document,
        author=acting_user(actor),
    )
    _record(actor, "sweep_started", sweep, {"trials": plan.trials})
    _fill(actor, sweep, plan)
    return sweep


@transaction.atomic
def cancel_sweep(*, actor: Actor, sweep_id: str) -> Sweep:
    """Stop a sweep and every trial of it that still trains."""
    require(actor, "experiments.cancel_sweep")
    sweep = _locked(sweep_id)
    _close(sweep, Sweep.State.CANCELLED)
    for trial in sweep.trials.filter(state=Trial.State.RUNNING).select_related("run"):
        _settle(trial, Trial.State.FAILED)
        if trial.run.is_open:
            cancel_run(actor=actor, run_id=str(trial.run_id))
    _record(actor, "sweep_cancelled", sweep)
    return sweep


def advance_sweeps(*, actor: Actor) -> list[str]:
    """Lead every running sweep on; the ids of those that ended."""
    require(actor, "experiments.advance_sweep")
    running = Sweep.objects.filter(state=Sweep.State.RUNNING)
    ids = [str(pk) for pk in running.values_list("pk", flat=True)]
    return [sweep_id for sweep_id in ids if _advance(actor, sweep_id)]


def _advance(actor: Actor, sweep_id: str) -> bool:
    try:
        with transaction.atomic():
            return _lead_on(actor, _locked(sweep_id))
    except StateConflict:
        # Someone cancelled it, or one of its runs, at this moment: the next look sees.
        return False
    except PlatformError as error:
        # Its author may be gone, a dataset retired: nobody mends that by waiting.
        with transaction.atomic():
            sweep = _locked(sweep_id)
            _close(sweep, Sweep.State.FAILED, error.message[:LONGEST_FAILURE])
            _record(actor, "sweep_failed", sweep, {"code": error.code})
        return True


def _locked(sweep_id: str) -> Sweep:
    Sweep.objects.select_for_update().filter(pk=sweep_id).first()
    sweep = sweep_by_id(sweep_id)
    if not sweep.is_running:
        raise StateConflict(f"The sweep is {sweep.get_state_display().lower()}.")
    return sweep


def _lead_on(actor: Actor, sweep: Sweep) -> bool:
    """Settle what ended, prune what lags, queue what may be; whether it is over."""
    author, plan = actor_for_user(sweep.author), plan_of_sweep(sweep)
    for trial in sweep.trials.filter(state=Trial.State.RUNNING).select_related("run"):
        _look_at(author, sweep, plan, trial)
    _fill(author, sweep, plan)
    if sweep.trials.filter(state=Trial.State.RUNNING).exists():
        return False
    _close(sweep, Sweep.State.COMPLETED)
    best = best_of(plan, tried_in(sweep))
    _retire_others(author, sweep, best.number if best else None)
    _record(
        actor,
        "sweep_completed",
        sweep,
        {"best": best.number if best else None, "score": best.score if best else None},
    )
    return True


def _look_at(author: Actor, sweep: Sweep, plan: SweepPlan, trial: Trial) -> None:
    # Optuna takes a second to import: only who leads a sweep on pays for it.
    from apps.experiments.sweeps.study import should_prune

    if not trial.run.is_open:
        score = _score(plan, trial)
        succeeded = trial.run.state == TrainingRun.State.SUCCEEDED
        done = succeeded and score is not None
        _settle(trial, Trial.State.COMPLETE if done else Trial.State.FAILED, score)
    elif should_prune(plan, tried_in(sweep), as_tried(plan, trial)):
        _settle(trial, Trial.State.PRUNED, _score(plan, trial))
        cancel_run(actor=author, run_id=str(trial.run_id))


def _score(plan: SweepPlan, trial: Trial) -> float | None:
    """The objective where the run stands; None when its runner does not log it."""
    curve = as_tried(plan, trial).curve
    return curve[max(curve)] if curve else None


def _settle(trial: Trial, state: Trial.State, score: float | None = None) -> None:
    Trial.objects.filter(pk=trial.pk, state=Trial.State.RUNNING).update(
        state=state, score=score
    )


def _fill(author: Actor, sweep: Sweep, plan: SweepPlan) -> None:
    """Queue trials until as many train as may, or as many were made as were asked."""
    from apps.experiments.sweeps.study import suggest

    tried = tried_in(sweep)
    running = sum(one.state == "running" for one in tried)
    for number in range(len(tried), plan.trials):
        if running >= plan.parallel:
            break
        values = suggest(plan, tried, number)
        manifest = create_manifest(actor=author, document=plan.manifest_with(values))
        run = queue_run(actor=author, manifest_id=str(manifest.pk))
        trial = Trial.objects.create(sweep=sweep, number=number, values=values, run=run)
        tried.append(as_tried(plan, trial))
        running += 1


def _retire_others(author: Actor, sweep: Sweep, best: int | None) -> None:
    """Drafts that lost are retired, so that nobody evaluates one by mistake."""
    lost = ModelVersion.objects.filter(
        run__trial__sweep=sweep, state=ModelVersion.State.DRAFT
    )
    if best is not None:
        lost = lost.exclude(run__trial__number=best)
    for version_id in lost.values_list("pk", flat=True):
        retire_version(actor=author, version_id=str(version_id))


def _close(sweep: Sweep, state: Sweep.State, failure: str = "") -> None:
    Sweep.objects.filter(pk=sweep.pk).update(
        state=state, failure=failure, finished_at=timezone.now()
    )
    sweep.refresh_from_db()


def best_manifest(sweep: Sweep) -> dict[str, object]:
    """The manifest of the best trial so far; SweepInvalid when none is complete."""
    plan = plan_of_sweep(sweep)
    best = best_of(plan, tried_in(sweep))
    if best is None:
        raise SweepInvalid("No trial of this sweep is complete yet.")
    return plan.manifest_with(best.values)


def _record(
    actor: Actor,
    event: str,
    sweep: Sweep,
    details: Mapping[str, object] | None = None,
) -> None:
    record_event(
        actor=actor,
        event=f"experiments.{event}",
        subject=Subject(SWEEP_LABEL, str(sweep.pk)),
        details={"model": sweep.model.name, **(details or {})},
    )
