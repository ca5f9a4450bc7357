"""A promotion policy's rules, and how reports stand against them. Pure.

A number that is not there is never good enough: a missing report, a missing slice and a
subgroup too small to judge are findings like any other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator

from apps.experiments.errors import PolicyInvalid

SCHEMA_FILE = Path(__file__).parent.parent / "schemas" / "promotion_policy.json"


@dataclass(frozen=True, slots=True)
class Rule:
    """``bound`` is the least value when ``is_least``, else the largest.

    ``by_interval`` holds the unlucky end of the interval against it, not the value.
    """

    evaluator: str
    metric: str
    slice: str
    bound: float
    is_least: bool
    by_interval: bool

    @property
    def key(self) -> str:
        """Names the rule in findings and accepted risks."""
        return f"{self.evaluator}/{self.metric}/{self.slice or 'all'}"

    def covers(self, slice: str) -> bool:
        if self.slice.endswith("=*"):
            return slice.startswith(self.slice[:-1])
        return slice == self.slice


@dataclass(frozen=True, slots=True)
class Finding:
    """How one number stands against a rule. ``why`` is empty when it is met."""

    rule: str
    slice: str
    value: float | None
    needed: str
    why: str

    @property
    def is_met(self) -> bool:
        return not self.why

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "met": self.is_met}


@cache
def policy_schema() -> dict[str, Any]:  # Any: a JSON document
    """The published JSON Schema."""
    content: dict[str, Any] = json.loads(SCHEMA_FILE.read_text())
    return content


def parse_rules(document: object) -> tuple[str, tuple[Rule, ...]]:
    """The model's name and the rules; PolicyInvalid with every problem found."""
    errors = Draft202012Validator(policy_schema()).iter_errors(document)
    problems = [
        f"{'.'.join(map(str, error.absolute_path)) or 'policy'}: {error.message}"
        for error in sorted(errors, key=lambda error: list(map(str, error.path)))
    ]
    if problems:
        raise _invalid(problems)
    content = cast("Mapping[str, Any]", document)
    rules = tuple(_rule(given) for given in content["rules"])
    keys = [rule.key for rule in rules]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise _invalid([f"rules: {key} is there twice." for key in twice])
    return content["model"], rules


def _invalid(problems: list[str]) -> PolicyInvalid:
    return PolicyInvalid(
        "The promotion policy cannot be used. " + " ".join(problems[:10]),
        extra={"problems": problems[:10]},
    )


def _rule(given: Mapping[str, Any]) -> Rule:
    is_least = "at_least" in given
    return Rule(
        evaluator=given["evaluator"],
        metric=given["metric"],
        slice=given.get("slice", ""),
        bound=float(given["at_least" if is_least else "at_most"]),
        is_least=is_least,
        by_interval=given.get("by", "interval") == "interval",
    )


# Any: metrics as reports store them.
Metrics = Sequence[Mapping[str, Any]]


def judge(rules: Sequence[Rule], reports: Mapping[str, Metrics]) -> list[Finding]:
    """Every rule against the newest report of its evaluator, in order."""
    return [found for rule in rules for found in _against(rule, reports)]


def _against(rule: Rule, reports: Mapping[str, Metrics]) -> list[Finding]:
    metrics = reports.get(rule.evaluator)
    if metrics is None:
        return [_finding(rule, rule.slice, None, f"no {rule.evaluator} report")]
    fitting = [
        metric
        for metric in metrics
        if metric["name"] == rule.metric and rule.covers(metric["slice"])
    ]
    if not fitting:
        return [_finding(rule, rule.slice, None, "the report has no such number")]
    return [_one(rule, metric) for metric in fitting]


def _one(rule: Rule, metric: Mapping[str, Any]) -> Finding:
    end = "low" if rule.is_least else "high"
    value = metric[end] if rule.by_interval else metric["value"]
    if metric["value"] is None or value is None:
        why = metric["note"] or "the number has no interval"
        return _finding(rule, metric["slice"], None, why)
    is_met = value >= rule.bound if rule.is_least else value <= rule.bound
    return _finding(rule, metric["slice"], value, "" if is_met else f"is {value:g}")


def _finding(rule: Rule, slice: str, value: float | None, why: str) -> Finding:
    side = "at least" if rule.is_least else "at most"
    what = "interval's unlucky end" if rule.by_interval else "value"
    return Finding(rule.key, slice, value, f"{what} {side} {rule.bound:g}", why)
