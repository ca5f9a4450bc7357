"""A rollout plan as people write and sign it: arms, steps, guards. Pure.

The JSON Schema in ``schemas/`` is published; what it cannot say is checked here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator

from apps.experiments.errors import PlanInvalid

CONTROL = "control"
SCHEMA_FILE = Path(__file__).parent.parent / "schemas" / "rollout_plan.json"
MOST_PROBLEMS_SHOWN = 10
# Rates in shares of units. Chosen to notice what a person would; see the guide.
DEFAULT_GUARDS: Mapping[str, float] = {
    "escalations": 0.01,
    "blocks": 0.02,
    "redactions": 0.05,
    "errors": 0.01,
    "slow": 0.05,
}
DEFAULT_SLOW_MS = 1000.0
DEFAULT_FALSE_ALARMS = 0.05


@dataclass(frozen=True, slots=True)
class Step:
    """``shares`` by candidate arm, in [0, 1]; ``units`` and ``minutes`` are least."""

    shares: Mapping[str, float]
    shadow: tuple[str, ...] = ()
    minutes: float = 0.0
    units: int = 0

    @property
    def is_seen_by_people(self) -> bool:
        return any(share > 0.0 for share in self.shares.values())

    def share(self, arm: str) -> float:
        """In [0, 1]; control has what the candidates leave."""
        if arm == CONTROL:
            return max(0.0, 1.0 - sum(self.shares.values()))
        return self.shares.get(arm, 0.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked plan. ``arms`` maps candidate arms to version numbers."""

    model: str
    arms: Mapping[str, int]
    steps: tuple[Step, ...]
    guards: Mapping[str, float]
    slow_ms: float
    false_alarms: float

    @property
    def alpha(self) -> float:
        """For one test: the false alarms allowed, shared by all that may be made.

        A test is, in one step, one guard of one arm, its comparison as a shadow, or
        the sample ratio.
        """
        tests = len(self.steps) * (len(self.arms) * (len(self.guards) + 1) + 1)
        return self.false_alarms / tests

    def offsets(self) -> dict[str, float]:
        """Where each arm's region of [0, 1) starts: room for its largest share.

        Regions are fixed for the whole rollout, so a growing arm takes units from
        control and never from another candidate.
        """
        start, found = 0.0, {}
        for arm in sorted(self.arms):
            found[arm] = start
            start += max(step.share(arm) for step in self.steps)
        return found


@cache
def plan_schema() -> dict[str, Any]:  # Any: a JSON document
    """The published JSON Schema."""
    content: dict[str, Any] = json.loads(SCHEMA_FILE.read_text())
    return content


def parse_plan(document: object) -> Plan:
    """The plan of a document; PlanInvalid with every problem found."""
    errors = Draft202012Validator(plan_schema()).iter_errors(document)
    problems = [
        f"{'.'.join(map(str, error.absolute_path)) or 'plan'}: {error.message}"
        for error in sorted(errors, key=lambda error: list(map(str, error.path)))
    ]
    if problems:
        raise _invalid(problems)
    plan = _plan(cast("Mapping[str, Any]", document))
    problems = _problems(plan)
    if problems:
        raise _invalid(problems)
    return plan


def _invalid(problems: list[str]) -> PlanInvalid:
    shown = problems[:MOST_PROBLEMS_SHOWN]
    return PlanInvalid(
        "The rollout plan cannot be used. " + " ".join(shown),
        extra={"problems": shown},
    )


def _plan(document: Mapping[str, Any]) -> Plan:  # Any: fits the schema
    return Plan(
        model=document["model"],
        arms=dict(document["arms"]),
        steps=tuple(
            Step(
                shares={arm: float(share) for arm, share in step["shares"].items()},
                shadow=tuple(step.get("shadow", ())),
                minutes=float(step.get("minutes", 0.0)),
                units=int(step.get("units", 0)),
            )
            for step in document["steps"]
        ),
        guards=dict(document.get("guards", DEFAULT_GUARDS)),
        slow_ms=float(document.get("slow_ms", DEFAULT_SLOW_MS)),
        false_alarms=float(document.get("false_alarms", DEFAULT_FALSE_ALARMS)),
    )


def _problems(plan: Plan) -> list[str]:
    found = []
    before: Mapping[str, float] = {}
    for number, step in enumerate(plan.steps):
        unknown = sorted({*step.shares, *step.shadow} - set(plan.arms))
        found += [f"steps.{number}: there is no arm {arm!r}." for arm in unknown]
        both = sorted(arm for arm in step.shadow if step.share(arm) > 0.0)
        found += [f"steps.{number}: {arm} is shadow or has a share." for arm in both]
        fallen = sorted(arm for arm in before if step.share(arm) < before[arm])
        found += [f"steps.{number}: the share of {arm} falls." for arm in fallen]
        if not step.is_seen_by_people and not step.shadow:
            found.append(f"steps.{number}: no arm gets anything to answer.")
        before = step.shares
    widest = sum(max(step.share(arm) for step in plan.steps) for arm in plan.arms)
    if widest >= 1.0:
        found.append("steps: the largest shares leave nothing for control to compare.")
    if len(set(plan.arms.values())) < len(plan.arms):
        found.append("arms: two arms name one version.")
    return found


def default_plan(model: str, number: int) -> dict[str, object]:
    """A document for one candidate: shadow first, then 5, 20 and 50 per cent."""
    shares = (0.05, 0.2, 0.5)
    return {
        "schema_version": 1,
        "model": model,
        "arms": {"candidate": number},
        "steps": [
            {"shares": {}, "shadow": ["candidate"], "minutes": 15, "units": 100},
            *(
                {"shares": {"candidate": share}, "minutes": 60, "units": 200}
                for share in shares
            ),
        ],
        "guards": dict(DEFAULT_GUARDS),
        "slow_ms": DEFAULT_SLOW_MS,
        "false_alarms": DEFAULT_FALSE_ALARMS,
    }
