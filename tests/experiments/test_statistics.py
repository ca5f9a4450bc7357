"""Intervals against published values and known properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.experiments.statistics import bootstrap, bootstrap_gap, macro_f1, wilson


@pytest.mark.parametrize(
    ("successes", "count", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_gives_the_published_intervals(successes, count, low, high):
    assert wilson(successes, count) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share(pair):
    successes, count = pair

    low, high = wilson(successes, count)

    assert 0.0 <= low <= successes / count + 1e-6
    assert successes / count - 1e-6 <= high <= 1.0


def test_a_bootstrap_repeats_itself_for_a_seed():
    values = [index**1.5 for index in range(40)]

    def mean(indices):
        return sum(values[index] for index in indices) / len(indices)

    first, again, other = (bootstrap(mean, 40, seed) for seed in (1, 1, 2))

    assert first == again
    assert first != other
    assert first[0] < sum(values) / 40 < first[1]


def test_equal_groups_still_have_an_uncertain_gap():
    low, high = bootstrap_gap([(9, 10), (9, 10)], seed=4)

    assert low == 0.0
    assert high > 0.1


def test_macro_f1_counts_each_label_alike():
    wanted = ["a"] * 8 + ["b"] * 2
    given_labels = ["a"] * 10

    assert macro_f1(wanted, given_labels) == pytest.approx((16 / 18 + 0) / 2)
    assert macro_f1([], []) == 0.0
