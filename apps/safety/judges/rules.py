"""What a policy makes of a judge: stricter decisions, or rows to compare.

Read once from the policy's JSON. A rule names a decision of its own for each gate; none
can be ALLOW, and what is applied is the stricter of it and the gate's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from apps.safety.contracts import Decision
from apps.safety.errors import PolicyInvalid


class Role(StrEnum):
    """``STRICTER`` is asked before the answer, ``RECORDED`` beside it."""

    STRICTER = "stricter"
    RECORDED = "recorded"


class OnFailure(StrEnum):
    """``STRICT``: the gate's own failure decision. ``NOTE``: the gates alone decide."""

    STRICT = "strict"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Cut:
    """From a score of ``at`` on, the decision is at least ``decision``."""

    at: float
    decision: Decision


@dataclass(frozen=True, slots=True)
class JudgeRule:
    """One judge under one policy; scores further apart than ``apart`` are queued."""

    judge: str
    role: Role
    on_failure: OnFailure
    apart: float
    cuts: Mapping[str, Cut]


def parse_judges(
    rows: Sequence[Mapping[str, Any]], gates: Sequence[str]
) -> tuple[JudgeRule, ...]:
    """The rules of a document that passed the schema; PolicyInvalid for the rest."""
    rules = tuple(_rule(row) for row in rows)
    names = [rule.judge for rule in rules]
    if len(set(names)) != len(names):
        raise PolicyInvalid("A judge may stand in a policy once.")
    unknown = {gate for rule in rules for gate in rule.cuts} - set(gates)
    if unknown:
        raise PolicyInvalid(f"Judges name no such gate: {', '.join(sorted(unknown))}.")
    return rules


def _rule(row: Mapping[str, Any]) -> JudgeRule:
    cuts = {
        gate: Cut(float(cut["at"]), Decision[str(cut["decision"]).upper()])
        for gate, cut in row["gates"].items()
    }
    role, on_failure = Role(row["role"]), OnFailure(row["on_failure"])
    if role is Role.RECORDED and on_failure is OnFailure.STRICT:
        raise PolicyInvalid(
            f"Judge {row['judge']} is only recorded: on_failure must be note."
        )
    return JudgeRule(
        row["judge"], role, on_failure, float(row["apart"]), MappingProxyType(cuts)
    )
