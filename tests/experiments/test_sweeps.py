"""Sweeps: what is suggested, and trials led from rows alone, whoever dies meanwhile."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.permissions import system_actor
from apps.audit.models import AuditEntry
from apps.core.errors import NotPermitted, StateConflict
from apps.experiments import services as experiments
from apps.experiments import tasks
from apps.experiments.errors import SweepInvalid
from apps.experiments.models import Sweep, Trial
from apps.experiments.selectors.sweeps import sweep_by_id, sweep_status, tried_in
from apps.experiments.sweeps.document import parse_sweep
from apps.experiments.sweeps.study import importance, should_prune, suggest
from apps.experiments.sweeps.trials import Tried, best_of
from apps.models_registry.errors import ManifestInvalid
from apps.models_registry.models import MetricPoint, ModelVersion, TrainingRun
from apps.models_registry.training import run_training

SWEEPER = system_actor("sweeps")
SPACE = {
    "learning_rate": {"type": "float", "low": 0.001, "high": 0.1, "log": True},
    "dimension": {"type": "int", "low": 4, "high": 16},
    "batch_size": {"type": "choice", "of": [8, 16]},
}


def a_sweep(manifest=None, **changes):
    return {
        "schema_version": 1,
        "manifest": manifest or {"model": "m"},
        "space": SPACE,
        "objective": {"metric": "dev_accuracy", "direction": "maximize"},
        "trials": 4,
        "parallel": 2,
        **changes,
    }


# -- pure ------------------------------------------------------------------------------
def tried_by(plan, count, score):
    found: list[Tried] = []
    for number in range(count):
        values = suggest(plan, found, number)
        found.append(Tried(number, values, "complete", score(values)))
    return found


def test_suggestions_depend_on_the_rows_alone():
    plan = parse_sweep(a_sweep())

    first, again = (tried_by(plan, 8, lambda v: -v["dimension"]) for _ in range(2))

    assert first == again
    assert len({str(one.values) for one in first}) == 8
    assert {one.values["batch_size"] for one in first} == {8, 16}
    assert all(0.001 <= one.values["learning_rate"] <= 0.1 for one in first)


def test_tpe_finds_better_places_than_it_began_with_and_says_what_mattered():
    plan = parse_sweep(a_sweep(trials=40))

    found = tried_by(plan, 40, lambda v: -abs(v["learning_rate"] - 0.01))

    def mean(part):
        return sum(one.score for one in part) / len(part)

    assert mean(found[25:]) > mean(found[:5])
    shares = importance(plan, found)
    assert next(iter(shares)) == "learning_rate"
    assert sum(shares.values()) == pytest.approx(1.0)
    assert importance(plan, found[:3]) == {}
    assert best_of(plan, found).score == max(one.score for one in found)


def test_trials_that_run_are_not_suggested_again():
    plan = parse_sweep(a_sweep(parallel=4))
    done = tried_by(plan, 6, lambda v: v["dimension"])
    running: list[Tried] = []
    for number in range(6, 10):
        values = suggest(plan, [*done, *running], number)
        running.append(Tried(number, values, "running"))

    assert len({str(one.values) for one in running}) == 4


def test_a_trial_below_the_median_is_pruned_and_one_above_is_not():
    plan = parse_sweep(a_sweep(pruner="median"))
    values = {"learning_rate": 0.01, "dimension": 8, "batch_size": 8}
    others = [
        Tried(n, values, "complete", 0.8, {5: 0.5 + n / 100, 10: 0.8}) for n in range(6)
    ]

    def prunes(score, plan=plan):
        return should_prune(plan, others, Tried(9, values, "running", None, {5: score}))

    assert prunes(0.2)
    assert not prunes(0.9)
    assert not prunes(0.2, parse_sweep(a_sweep()))


@pytest.mark.parametrize(
    "changes",
    [
        {"space": {}},
        {"space": {"x": {"type": "float", "low": 2, "high": 1}}},
        {"space": {"x": {"type": "float", "low": 0, "high": 1, "log": True}}},
        {"space": {"x": {"type": "int", "low": 1.5, "high": 3}}},
        {"trials": 0},
        {"sampler": "guess"},
    ],
    ids=str,
)
def test_a_sweep_that_cannot_be_is_refused(changes):
    with pytest.raises(SweepInvalid):
        parse_sweep(a_sweep(**changes))


# -- rows ------------------------------------------------------------------------------
@pytest.fixture
def started(operator, document):
    def make(**changes) -> Sweep:
        return experiments.start_sweep(
            actor=operator, document=a_sweep(document, **changes)
        )

    return make


def train_queued() -> int:
    queued = TrainingRun.objects.filter(state=TrainingRun.State.QUEUED)
    ids = [str(pk) for pk in queued.values_list("pk", flat=True)]
    for run_id in ids:
        run_training(run_id)
    return len(ids)


@pytest.mark.django_db
def test_a_sweep_trains_every_trial_and_keeps_the_best(
    registered_tasks, started, operator
):
    sweep = started()

    made = []
    for _ in range(4):
        made.append(train_queued())
        tasks.advance_sweeps.run()

    sweep.refresh_from_db()
    status = sweep_status(sweep_by_id(str(sweep.pk)))
    assert made == [2, 2, 0, 0]
    assert sweep.state == Sweep.State.COMPLETED
    best = max(status["trials"], key=lambda one: (one["score"], -one["trial"]))
    assert status["best"]["trial"] == best["trial"]
    assert {one["state"] for one in status["trials"]} == {"complete"}
    kept = ModelVersion.objects.get(state=ModelVersion.State.DRAFT)
    assert str(kept.run_id) == best["run"]
    assert kept.run.manifest.document["hyperparameters"].items() >= (
        best["values"].items()
    )
    assert AuditEntry.objects.filter(event="experiments.sweep_completed").exists()


@pytest.mark.django_db
def test_leading_on_twice_or_from_another_process_changes_nothing(started):
    sweep = started()
    train_queued()
    experiments.advance_sweeps(actor=SWEEPER)
    before = list(Trial.objects.values_list("number", "state", "values"))

    experiments.advance_sweeps(actor=SWEEPER)

    assert list(Trial.objects.values_list("number", "state", "values")) == before
    assert len(tried_in(sweep)) == 4


@pytest.mark.django_db
def test_a_trial_whose_run_failed_is_a_failed_trial_and_the_sweep_goes_on(
    started, operator
):
    from apps.models_registry.services import cancel_run

    sweep = started(trials=3, parallel=1)
    cancel_run(actor=operator, run_id=str(sweep.trials.get().run_id))
    for _ in range(4):
        experiments.advance_sweeps(actor=SWEEPER)
        train_queued()

    sweep.refresh_from_db()
    assert sweep.state == Sweep.State.COMPLETED
    assert list(sweep.trials.values_list("state", flat=True)) == [
        "failed", "complete", "complete",
    ]  # fmt: skip


@pytest.mark.django_db
def test_a_trial_that_lags_is_cancelled(started, operator, monkeypatch):
    sweep = started(trials=7, parallel=1, pruner="median", sampler="random")
    for _ in range(6):
        train_queued()
        experiments.advance_sweeps(actor=SWEEPER)
    last = sweep.trials.get(number=6)
    step = MetricPoint.objects.filter(run__trial__number=0).first().step
    MetricPoint.objects.create(run=last.run, step=step, name="dev_accuracy", value=-1.0)
    TrainingRun.objects.filter(pk=last.run_id).update(step=step)

    experiments.advance_sweeps(actor=SWEEPER)

    last.refresh_from_db()
    last.run.refresh_from_db()
    sweep.refresh_from_db()
    assert (last.state, last.run.state) == ("pruned", "cancelled")
    assert sweep.state == Sweep.State.COMPLETED


@pytest.mark.django_db
def test_cancelling_stops_every_run(started, operator):
    sweep = started()

    experiments.cancel_sweep(actor=operator, sweep_id=str(sweep.pk))

    assert set(TrainingRun.objects.values_list("state", flat=True)) == {"cancelled"}
    assert experiments.advance_sweeps(actor=SWEEPER) == []
    with pytest.raises(StateConflict):
        experiments.cancel_sweep(actor=operator, sweep_id=str(sweep.pk))


@pytest.mark.django_db
def test_a_sweep_whose_author_is_gone_fails_and_says_so(started, operator):
    sweep = started()
    train_queued()
    User.objects.filter(pk=operator.id).update(is_active=False)

    assert experiments.advance_sweeps(actor=SWEEPER) == [str(sweep.pk)]

    sweep.refresh_from_db()
    assert (sweep.state, "active" in sweep.failure) == (Sweep.State.FAILED, True)


@pytest.mark.django_db
def test_a_range_that_the_runner_refuses_is_refused_before_any_training(started):
    with pytest.raises(ManifestInvalid):
        started(space={"dropout": {"type": "float", "low": 0.1, "high": 2.0}})
    assert TrainingRun.objects.count() == 0


@pytest.mark.django_db
def test_only_an_operator_starts_one_and_only_the_platform_leads_it_on(
    operator, signers, document
):
    with pytest.raises(NotPermitted):
        experiments.start_sweep(actor=signers[0], document=a_sweep(document))
    with pytest.raises(NotPermitted):
        experiments.advance_sweeps(actor=operator)


# -- shell and screen ------------------------------------------------------------------
def run(*words: str) -> str:
    out = StringIO()
    call_command("sweep", *words, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_a_sweep_from_the_shell(tmp_path, operator, document):
    path = tmp_path / "sweep.json"
    path.write_text(json.dumps(a_sweep(document, trials=1)))

    sweep_id = json.loads(run("start", str(path), "--as", "olga", "--json"))["sweep"]
    with pytest.raises(CommandError, match="No trial"):
        run("best", sweep_id)
    train_queued()
    experiments.advance_sweeps(actor=SWEEPER)

    shown = run("status", sweep_id)
    best = json.loads(run("best", sweep_id))
    assert "1 of 1 trials made, 0 running" in shown
    assert "best: trial 0 dev_accuracy" in shown
    assert set(SPACE) <= set(best["hyperparameters"])
    with pytest.raises(CommandError, match="completed"):
        run("cancel", sweep_id, "--as", "olga")


@pytest.mark.django_db
def test_a_sweep_on_screen(client, operator, document):
    client.force_login(User.objects.get(pk=operator.id))
    add = reverse("admin:experiments_sweep_add")
    refused = client.post(add, {"document": "{}"})
    client.post(add, {"document": json.dumps(a_sweep(document, trials=9, parallel=9))})
    sweep = Sweep.objects.get()
    for trial in sweep.trials.all():
        Trial.objects.filter(pk=trial.pk).update(
            state="complete", score=trial.values["learning_rate"]
        )

    listing = client.get(reverse("admin:experiments_sweep_changelist"))
    page = client.get(reverse("admin:experiments_sweep_change", args=[sweep.pk]))
    client.post(reverse("admin:experiments_sweep_step", args=[sweep.pk, "cancel"]))

    sweep.refresh_from_db()
    assert "required property" in refused.content.decode()
    assert listing.status_code == 200
    shown = page.content.decode()
    assert "<polyline" in shown
    assert "learning_rate" in shown
    assert sweep.state == Sweep.State.CANCELLED
