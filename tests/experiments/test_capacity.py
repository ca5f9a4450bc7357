"""The planner's rules by example, and a simulated day that shows what they do."""

from __future__ import annotations

import json
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from apps.core.errors import InvalidInput
from apps.experiments.capacity.planner import Policy, Seen, desired_replicas
from apps.experiments.capacity.simulator import Load, arrivals_of, simulate

POLICY = Policy("p", target_wait_s=60, least=1, most=20)
NONE = Policy("none", target_wait_s=60, least=0, most=20, scales_to_zero=True)


def seen(**changes):
    given = {
        "depth": 0, "oldest_s": 0.0, "arrivals": 0.0, "service_s": 30.0, "replicas": 1,
    }  # fmt: skip
    return Seen(**(given | changes))


@pytest.mark.parametrize(
    ("policy", "now", "wanted"),
    [
        (POLICY, seen(), (1, "least replicas")),
        (POLICY, seen(arrivals=0.3), (12, "arrivals and backlog")),
        (POLICY, seen(depth=10), (5, "arrivals and backlog")),
        (POLICY, seen(depth=3, service_s=600), (3, "arrivals and backlog")),
        (POLICY, seen(depth=1, oldest_s=90, replicas=6), (7, "oldest task is late")),
        (POLICY, seen(depth=900), (20, "most replicas")),
        (POLICY, seen(replicas=9, since_change_s=10), (9, "cooling down")),
        (POLICY, seen(replicas=9, since_change_s=400), (1, "least replicas")),
        (NONE, seen(idle_s=400), (0, "idle")),
        (NONE, seen(idle_s=10, replicas=1, since_change_s=5), (1, "cooling down")),
        (NONE, seen(depth=1, replicas=0), (1, "arrivals and backlog")),
        (
            Policy("b", 60, most=20, rate=2.0, budget=9.0),
            seen(depth=900),
            (4, "budget"),
        ),
    ],
)
def test_wanted_replicas_by_example(policy, now, wanted):
    found = desired_replicas(policy, now)

    assert (found.replicas, found.reason) == wanted


@pytest.mark.parametrize(
    "wrong",
    [
        {"target_wait_s": 0}, {"least": 5, "most": 2}, {"least": 0},
        {"rate": 3.0, "budget": 2.0}, {"cooldown_s": -1},
    ],
    ids=str,
)  # fmt: skip
def test_a_policy_that_contradicts_itself_is_refused(wrong):
    with pytest.raises(InvalidInput):
        Policy(**{"name": "x", "target_wait_s": 60, **wrong})


@pytest.mark.parametrize("shape", ["poisson", "wave", "burst"])
def test_loads_have_their_rate_and_their_shape(shape):
    times = arrivals_of(Load(shape, 0.5, 24, 1.0))
    by_hour = np.histogram(times, bins=24, range=(0, 86_400))[0]

    extra = 0.5 * 9 * 600 if shape == "burst" else 0
    assert len(times) == pytest.approx(0.5 * 86_400 + extra, rel=0.03)
    assert list(times) == sorted(times)
    busiest = by_hour.max() / np.median(by_hour)
    assert {"poisson": busiest < 1.1, "wave": busiest > 1.7, "burst": busiest > 1.5}[
        shape
    ]


def test_a_fixed_crew_waits_as_queueing_theory_says():
    # One server, half busy: the mean wait of M/M/1 is rho / (mu - lambda) = 10 s.
    load = Load("poisson", 0.05, 150, 10.0)
    fixed = Policy("one", 60, least=1, most=1)

    found = simulate(fixed, load, start_s=0.0)

    assert found.waste == pytest.approx(0.5, abs=0.03)
    assert found.cost == pytest.approx(150, rel=0.01)
    # P(wait > 60) = rho * exp(-(mu - lambda) * 60) = 0.5 * exp(-3).
    assert found.late == pytest.approx(0.0249, abs=0.01)


def test_scaling_costs_less_than_a_fixed_crew_and_keeps_its_promise():
    load = Load("wave", 0.2, 24, 30.0)
    fixed = simulate(Policy("fixed", 60, least=13, most=13), load)
    scaled = simulate(Policy("scaled", 60, least=1, most=40), load)

    assert scaled == simulate(Policy("scaled", 60, least=1, most=40), load)
    assert scaled.cost < 0.85 * fixed.cost
    assert scaled.wait_p95_s < 60
    assert scaled.tasks == fixed.tasks


def test_a_rare_task_pays_only_for_itself_when_the_queue_scales_to_zero():
    load = Load("poisson", 1 / 7200, 48, 60.0)
    kept = simulate(Policy("kept", 60, least=1, most=5), load)
    none = simulate(Policy("none", 60, least=0, most=5, scales_to_zero=True), load)

    assert none.cost < 0.3 * kept.cost
    assert none.wait_median_s >= 30 > kept.wait_median_s


def test_a_burst_is_met_within_budget():
    load = Load("burst", 0.1, 4, 20.0)
    free = simulate(Policy("free", 60, most=200), load)
    tight = simulate(Policy("tight", 60, most=200, rate=1.0, budget=5.0), load)

    assert tight.peak_replicas == 5 < free.peak_replicas
    assert tight.wait_p99_s > free.wait_p99_s


def run(*words: str) -> str:
    out = StringIO()
    call_command("plan_capacity", *words, stdout=out)
    return out.getvalue()


def test_policies_are_compared_side_by_side(tmp_path):
    words = ("--load", "wave", "--rate", "0.05", "--service", "20", "--hours", "6")

    shown = json.loads(run(*words, "--json"))
    text = run(*words)

    names = [one["policy"] for one in shown["results"]]
    assert names == ["fixed", "as needed", "down to none"]
    assert all(name in text for name in names)
    path = tmp_path / "policies.json"
    path.write_text('[{"name": "mine", "target_wait_s": 30, "most": 3}]')
    assert "mine" in run(*words, "--policies", str(path))
    path.write_text('[{"nonsense": 1}]')
    with pytest.raises(CommandError, match="fields"):
        run(*words, "--policies", str(path))
    with pytest.raises(CommandError, match="above 0"):
        run("--rate", "0", "--service", "1")
