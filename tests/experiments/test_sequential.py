"""Simulated traffic, looked at often: how often the statistics cry wolf, and miss."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from apps.core.errors import InvalidInput
from apps.experiments.rollouts.power import Harm, units_needed
from apps.experiments.rollouts.sequential import (
    Counts,
    Moments,
    difference_interval,
    exceeds,
    half_width,
    log_evidence,
    log_evidence_of_pairs,
    log_evidence_of_ratio,
    mean_interval,
    rate_interval,
)

RUNS, LOOKS, ALPHA = 1000, 50, 0.05
BAR = log(1 / ALPHA)


def looked_at(generator, per_look, rate) -> Counts:
    """Cumulative counts of 1,000 runs at each of 50 looks, shape (runs, looks)."""
    events = generator.binomial(per_look, rate, size=(RUNS, LOOKS)).cumsum(axis=1)
    units = np.broadcast_to(per_look * np.arange(1, LOOKS + 1), events.shape)
    return Counts(events, units)


@pytest.mark.parametrize("rate", [0.002, 0.05, 0.5])
@pytest.mark.parametrize("share", [0.05, 0.5])
def test_equal_rates_seldom_alarm_however_often_one_looks(rate, share):
    generator = np.random.default_rng(1)
    control = looked_at(generator, round(400 * (1 - share)), rate)
    treated = looked_at(generator, round(400 * share), rate)

    alarms = (log_evidence(control, treated, 0.0) >= BAR).any(axis=1).mean()

    assert alarms <= ALPHA


def test_a_test_made_for_one_look_would_have_cried_wolf():
    generator = np.random.default_rng(1)
    control, treated = (looked_at(generator, 200, 0.05) for _ in range(2))
    pooled = (control.rate + treated.rate) / 2
    noise = np.sqrt(2 * pooled * (1 - pooled) / control.units)

    naive = (np.abs(treated.rate - control.rate) > 1.96 * noise).any(axis=1).mean()

    assert naive > 4 * ALPHA


def test_harm_within_the_margin_is_tolerated_and_beyond_it_is_found():
    generator = np.random.default_rng(2)
    control = looked_at(generator, 380, 0.04)
    tolerated = looked_at(generator, 20, 0.06)
    harmful = looked_at(generator, 20, 0.25)

    assert exceeds(control, tolerated, 0.02, ALPHA).any(axis=1).mean() <= ALPHA
    assert exceeds(control, harmful, 0.02, ALPHA).any(axis=1).mean() > 0.99


def test_four_failures_in_a_row_are_enough_where_control_never_fails():
    assert exceeds(Counts(0, 95), Counts(4, 5), 0.01, 0.001)
    assert not exceeds(Counts(0, 95), Counts(1, 5), 0.01, 0.001)


def test_intervals_cover_the_truth_at_every_look_at_once():
    generator = np.random.default_rng(3)
    missed = 0
    for _ in range(100):
        events = generator.random(300) < 0.1
        missed += any(
            not low <= 0.1 <= high
            for low, high in (
                rate_interval(Counts(int(events[:n].sum()), n), ALPHA)
                for n in (5, 20, 60, 150, 300)
            )
        )

    assert missed <= 5


def test_a_difference_has_an_interval_that_narrows_and_holds_it():
    few = difference_interval(Counts(5, 100), Counts(6, 100), ALPHA)
    many = difference_interval(Counts(5000, 100_000), Counts(6000, 100_000), ALPHA)

    assert few[0] < 0 < few[1]
    assert 0 < many[0] < 0.01 < many[1] < 0.02
    assert difference_interval(Counts(0, 0), Counts(0, 0), ALPHA) == (-1.0, 1.0)


@pytest.mark.parametrize("shape", ["normal", "skewed"])
def test_equal_means_seldom_alarm_however_often_one_looks(shape):
    generator = np.random.default_rng(4)

    def totals():
        size = (RUNS, LOOKS * 100)
        drawn = (
            generator.normal(10, 3, size)
            if shape == "normal"
            else generator.lognormal(2, 0.8, size)
        )
        ends = slice(99, None, 100)
        return drawn.cumsum(axis=1)[:, ends], (drawn**2).cumsum(axis=1)[:, ends]

    alarms = 0
    (a_total, a_squares), (b_total, b_squares) = totals(), totals()
    for run in range(RUNS):
        alarms += any(
            not low <= 0 <= high
            for low, high in (
                mean_interval(
                    Moments(n, a_total[run, look], a_squares[run, look]),
                    Moments(n, b_total[run, look], b_squares[run, look]),
                    ALPHA,
                )
                for look, n in enumerate(range(100, 100 * LOOKS + 1, 100))
            )
        )

    assert alarms / RUNS <= ALPHA


def test_means_that_differ_are_told_apart():
    generator = np.random.default_rng(5)
    a, b = generator.normal(10, 2, 5000), generator.normal(11, 2, 5000)

    low, high = mean_interval(
        Moments(5000, a.sum(), (a**2).sum()),
        Moments(5000, b.sum(), (b**2).sum()),
        ALPHA,
    )

    assert 0.7 < low < 1 < high < 1.3
    assert mean_interval(Moments(1, 1, 1), Moments(1, 1, 1), ALPHA) == (
        float("-inf"),
        float("inf"),
    )
    assert half_width(0.0, 1.0, ALPHA) == 0.0


def test_a_right_sample_ratio_seldom_alarms_and_a_wrong_one_does():
    generator = np.random.default_rng(6)
    shares = np.array([0.9, 0.05, 0.05])

    def alarms(truth):
        units = generator.multinomial(200, truth, size=(RUNS, LOOKS)).cumsum(axis=1)
        return (log_evidence_of_ratio(units, shares) >= BAR).any(axis=1).mean()

    assert alarms(shares) <= ALPHA
    assert alarms([0.92, 0.03, 0.05]) > 0.9


def test_pairs_alarm_only_when_one_side_is_worse():
    generator = np.random.default_rng(7)
    worse = generator.binomial(10, 0.5, size=(RUNS, LOOKS)).cumsum(axis=1)
    better = 10 * np.arange(1, LOOKS + 1) - worse

    assert (log_evidence_of_pairs(worse, better) >= BAR).any(axis=1).mean() <= ALPHA
    assert log_evidence_of_pairs(30, 5) >= BAR


def test_the_power_that_is_promised_is_had():
    harm = Harm(base=0.04, change=0.06, share=0.2, margin=0.01)
    units = units_needed(harm, ALPHA, 0.8)
    generator = np.random.default_rng(8)
    per_look = units // LOOKS + 1
    control = looked_at(generator, round(per_look * 0.8), 0.04)
    treated = looked_at(generator, round(per_look * 0.2), 0.10)

    fired = exceeds(control, treated, 0.01, ALPHA).any(axis=1).mean()

    assert fired >= 0.8


@pytest.mark.parametrize(
    "wrong",
    [
        {"base": 0.9, "change": 0.2},
        {"base": 0.1, "change": 0.01, "margin": 0.02},
        {"base": 0.1, "change": 0.1, "share": 1.0},
    ],
)
def test_a_harm_that_cannot_be_is_refused(wrong):
    with pytest.raises(InvalidInput):
        Harm(**{"share": 0.1, **wrong})
