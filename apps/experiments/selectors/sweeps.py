"""Reading sweeps: trials as the sampler takes them, and where a sweep stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from apps.core.errors import NotFound
from apps.experiments.models import Sweep, Trial
from apps.experiments.sweeps.document import SweepPlan, parse_sweep
from apps.experiments.sweeps.trials import Tried, best_of
from apps.models_registry.models import MetricPoint
from apps.models_registry.selectors import as_uuid

SWEEP_LABEL = "experiments.sweep"


def sweep_by_id(sweep_id: str) -> Sweep:
    """With its model and author; NotFound when there is none."""
    found = (
        Sweep.objects.filter(pk=as_uuid(sweep_id))
        .select_related("model", "author")
        .first()
    )
    if found is None:
        raise NotFound(f"There is no sweep {sweep_id}.")
    return found


def plan_of_sweep(sweep: Sweep) -> SweepPlan:
    return parse_sweep(sweep.document)


def trials_of(sweep: Sweep) -> QuerySet[Trial]:
    return sweep.trials.select_related("run").order_by("number")


def tried_in(sweep: Sweep) -> list[Tried]:
    """Every trial with its curve, in two queries."""
    plan = plan_of_sweep(sweep)
    trials = list(trials_of(sweep))
    curves = _curves(plan.metric, trials)
    return [_tried(trial, curves.get(trial.run_id, {})) for trial in trials]


def as_tried(plan: SweepPlan, trial: Trial) -> Tried:
    return _tried(trial, _curves(plan.metric, [trial]).get(trial.run_id, {}))


def _curves(metric: str, trials: Sequence[Trial]) -> dict[Any, dict[int, float]]:
    found: dict[Any, dict[int, float]] = {}  # Any: keys of runs
    points = MetricPoint.objects.filter(
        run_id__in=[trial.run_id for trial in trials], name=metric
    )
    for run_id, step, value in points.values_list("run_id", "step", "value"):
        found.setdefault(run_id, {})[step] = value
    return found


def _tried(trial: Trial, curve: dict[int, float]) -> Tried:
    return Tried(trial.number, trial.values, trial.state, trial.score, curve)


def sweep_status(sweep: Sweep) -> dict[str, Any]:  # Any: a JSON document
    """Where a sweep stands: counts, the best so far, what mattered, every trial."""
    # Optuna takes a second to import: only who looks at a sweep pays for it.
    from apps.experiments.sweeps.study import importance

    plan, tried = plan_of_sweep(sweep), tried_in(sweep)
    best = best_of(plan, tried)
    runs = {trial.number: str(trial.run_id) for trial in trials_of(sweep)}
    return {
        "sweep": str(sweep.pk),
        "model": sweep.model.name,
        "state": sweep.state,
        "failure": sweep.failure,
        "metric": plan.metric,
        "trials_asked": plan.trials,
        "trials_made": len(tried),
        "trials_running": sum(one.state == "running" for one in tried),
        "best": None
        if best is None
        else {"trial": best.number, "score": best.score, "values": dict(best.values)},
        "importance": importance(plan, tried),
        "trials": [
            {
                "trial": one.number,
                "state": one.state,
                "score": one.score,
                "step": max(one.curve, default=0),
                "run": runs[one.number],
                "values": dict(one.values),
            }
            for one in tried
        ],
    }
