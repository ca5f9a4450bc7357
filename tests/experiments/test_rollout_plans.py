"""Plans, assignment and guards: pure functions, tried without a database."""

from __future__ import annotations

import uuid

import numpy as np
import pytest

from apps.experiments.errors import PlanInvalid
from apps.experiments.rollouts.assignment import (
    Layout,
    place_of,
    reason_of,
    rollout_of,
    unit_of,
)
from apps.experiments.rollouts.guards import (
    ArmTotals,
    ShadowTotals,
    examine,
    waits_for,
)
from apps.experiments.rollouts.plan import CONTROL, default_plan, parse_plan
from apps.experiments.rollouts.sequential import Moments
from tests.experiments.conftest import plan

KEY = b"k" * 32
TWO = {"arms": {"alpha": 2, "beta": 3}}


def places(count, salt="s"):
    return [place_of(key=KEY, salt=salt, unit=f"u{n}") for n in range(count)]


def test_the_default_plan_can_be_used_and_begins_in_the_shadow():
    parsed = parse_plan(default_plan("support-reply", 2))

    assert not parsed.steps[0].is_seen_by_people
    assert [step.share("candidate") for step in parsed.steps] == [0, 0.05, 0.2, 0.5]
    assert parsed.alpha == pytest.approx(0.05 / (4 * 7))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "'model' is a required property"),
        (plan({"shares": {"other": 0.1}}), "there is no arm 'other'"),
        (plan({"shares": {"candidate": 1.0}}), "nothing for control"),
        (
            plan({"shares": {"candidate": 0.2}}, {"shares": {"candidate": 0.1}}),
            "share of candidate falls",
        ),
        (plan({"shares": {}}), "no arm gets anything"),
        (
            plan({"shares": {"candidate": 0.1}, "shadow": ["candidate"]}),
            "shadow or has a share",
        ),
        (plan(arms={"control": 2}), "control"),
        (plan(arms={"candidate": 2, "other": 2}), "two arms name one version"),
        (plan(guards={"applause": 0.1}), "applause"),
        (plan(false_alarms=0.9), "0.9"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused_with_the_reason(document, said):
    with pytest.raises(PlanInvalid, match=said):
        parse_plan(document)


def test_places_are_even_and_shuffled_by_the_salt():
    found = np.histogram(places(4000), bins=10, range=(0, 1))[0]

    assert found.min() > 330
    assert np.corrcoef(places(2000), places(2000, salt="t"))[0, 1] < 0.06


def test_shares_are_kept_to_and_growing_arms_take_only_from_control():
    parsed = parse_plan(
        plan(
            {"shares": {"alpha": 0.1, "beta": 0.1}},
            {"shares": {"alpha": 0.3, "beta": 0.2}},
            **TWO,
        )
    )
    first, second = (Layout(parsed.offsets(), step) for step in parsed.steps)
    drawn = places(5000)

    before = [first.arm_at(place) for place in drawn]
    after = [second.arm_at(place) for place in drawn]

    assert before.count("alpha") / 5000 == pytest.approx(0.1, abs=0.02)
    assert after.count(CONTROL) / 5000 == pytest.approx(0.5, abs=0.03)
    kept = {(old, new) for old, new in zip(before, after, strict=True) if old != new}
    assert kept == {(CONTROL, "alpha"), (CONTROL, "beta")}


def test_a_participant_is_one_unit_and_a_nameless_request_is_its_own():
    first, second = uuid.uuid4(), uuid.uuid4()

    def unit(request_id, caller_id="c", participant_ref="p"):
        return unit_of(
            caller_id=caller_id, participant_ref=participant_ref, request_id=request_id
        )

    assert unit(first) == unit(second)
    assert unit(first) != unit(first, caller_id="d")
    assert unit(first, participant_ref="") != unit(second, participant_ref="")


def test_a_reason_can_be_read_back():
    rollout_id = uuid.uuid4()

    assert rollout_of(reason_of(str(rollout_id), 3, "candidate")) == (rollout_id, 3)
    assert rollout_of("alias:production") is None


def totals(units, **events):
    return ArmTotals(units, units, events, Moments(units, 4.0 * units, 17.0 * units))


def test_harm_is_a_breach_and_equality_is_not():
    parsed = parse_plan(plan())
    equal = {CONTROL: totals(800, blocks=40), "candidate": totals(200, blocks=10)}
    worse = {CONTROL: totals(800, blocks=40), "candidate": totals(200, blocks=60)}

    assert examine(parsed, 0, equal, {}).breaches == ()
    found = examine(parsed, 0, worse, {})
    assert found.breaches == ("candidate/blocks",)
    blocks = next(rate for rate in found.arms[1].rates if rate.guard == "blocks")
    assert 0.02 < blocks.change_low < blocks.change == 0.25 < blocks.change_high


def test_a_ratio_that_assignment_cannot_give_is_a_breach():
    wrong = {CONTROL: totals(800), "candidate": totals(600)}

    assert examine(parse_plan(plan()), 0, wrong, {}).breaches == ("sample_ratio",)


def test_a_shadow_that_is_refused_more_often_is_a_breach():
    parsed = parse_plan(plan({"shares": {}, "shadow": ["candidate"]}))
    nobody = {CONTROL: totals(100), "candidate": totals(0)}

    def breaches(shadow_refused, served_refused):
        pairs = ShadowTotals(100, 40, shadow_refused, served_refused)
        return examine(parsed, 0, nobody, {"candidate": pairs}).breaches

    assert breaches(30, 1) == ("candidate/shadow_refusals",)
    assert breaches(1, 30) == ()
    assert breaches(4, 3) == ()


def test_a_step_waits_for_time_units_and_comparisons():
    parsed = parse_plan(
        plan({"shares": {"candidate": 0.2}, "minutes": 10, "units": 100})
    )
    few = {CONTROL: totals(400), "candidate": totals(90)}
    found = examine(parsed, 0, few, {})

    assert waits_for(parsed, found, minutes=4.0) == (
        "6.0 more minutes",
        "10 more units in candidate",
    )
    shadowed = parse_plan(
        plan({"shares": {}, "shadow": ["candidate"], "units": 50}),
    )
    found = examine(
        shadowed, 0, few, {"candidate": ShadowTotals(compared=20, same_reply=20)}
    )
    assert waits_for(shadowed, found, minutes=0) == (
        "30 more comparisons of candidate",
    )
