"""What to try next, whom to stop early and what mattered, asked of Optuna.

An Optuna study is rebuilt in memory from the platform's own rows each time, and the
sampler is seeded by the number of the trial it is asked for: the same rows give the
same answer in any process, and there is no second storage that could disagree.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState, create_trial

from apps.experiments.sweeps.document import SweepPlan
from apps.experiments.sweeps.trials import Tried

optuna.logging.set_verbosity(optuna.logging.WARNING)
# Trials before the sampler and the pruner begin to draw conclusions.
STARTUP_TRIALS = 5
FEWEST_FOR_IMPORTANCE = 8


STATES = {
    "running": TrialState.RUNNING,
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


def suggest(plan: SweepPlan, tried: Sequence[Tried], number: int) -> dict[str, Any]:
    """Hyper-parameters for trial ``number``, given all that were tried before."""
    study = _study(plan, tried, number)
    asked = study.ask(fixed_distributions=_space(plan))
    return dict(asked.params)


def should_prune(plan: SweepPlan, tried: Sequence[Tried], one: Tried) -> bool:
    """Whether a running trial is worse than the median of others at its last step."""
    if plan.pruner == "none" or not one.curve:
        return False
    others = [trial for trial in tried if trial.number != one.number]
    study = _study(plan, others, one.number)
    return study.pruner.prune(study, _frozen(plan, one))


def importance(plan: SweepPlan, tried: Sequence[Tried]) -> dict[str, float]:
    """How much each hyper-parameter mattered, shares that sum to 1, largest first.

    Empty below eight complete trials, or when all came to the same. PED-ANOVA
    (Watanabe, Bansal and Hutter 2023, IJCAI).
    """
    done = [one for one in tried if one.state == "complete"]
    if len(done) < FEWEST_FOR_IMPORTANCE or len({one.score for one in done}) < 2:
        return {}
    with warnings.catch_warnings():
        # The evaluator calls itself experimental.
        warnings.simplefilter("ignore")
        found = get_param_importances(
            _study(plan, done, 0), evaluator=PedAnovaImportanceEvaluator()
        )
    return {name: float(share) for name, share in found.items()}


def _study(plan: SweepPlan, tried: Sequence[Tried], number: int) -> optuna.Study:
    seed = (plan.seed * 10_007 + number) % 2**32
    with warnings.catch_warnings():
        # constant_liar calls itself experimental; without it parallel trials would
        # all try the same place.
        warnings.simplefilter("ignore")
        sampler: optuna.samplers.BaseSampler = (
            optuna.samplers.RandomSampler(seed=seed)
            if plan.sampler == "random"
            else optuna.samplers.TPESampler(
                seed=seed, n_startup_trials=STARTUP_TRIALS, constant_liar=True
            )
        )
    study = optuna.create_study(
        direction="maximize" if plan.maximize else "minimize",
        sampler=sampler,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS),
    )
    study.add_trials([_frozen(plan, one) for one in tried])
    return study


def _frozen(plan: SweepPlan, one: Tried) -> FrozenTrial:
    return create_trial(
        state=STATES[one.state],
        value=one.score if one.state == "complete" else None,
        params=dict(one.values),
        distributions=_space(plan),
        intermediate_values=dict(one.curve),
    )


def _space(plan: SweepPlan) -> dict[str, BaseDistribution]:
    return {name: _distribution(place) for name, place in plan.space.items()}


def _distribution(place: Mapping[str, Any]) -> BaseDistribution:
    if place["type"] == "choice":
        return CategoricalDistribution(place["of"])
    kind = FloatDistribution if place["type"] == "float" else IntDistribution
    return kind(place["low"], place["high"], log=place.get("log", False))
