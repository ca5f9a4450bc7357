"""What a jurisdiction asks beyond thresholds, as data of a policy.

Rules only ever make a decision stricter, or add an approved notice; none lets anything
pass. They read verdicts and never a text. What the law says is for counsel; a rule is
in force only as part of a policy that people have signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

from apps.safety.contracts import Decision, RiskLevel, Verdict
from apps.safety.errors import PolicyInvalid
from apps.safety.gates.lexicons.appropriateness_en import CODES

LICENSED_ONLY = "rules.licensed_only"
INTERRUPT = "rules.interrupt"
DISCLOSURE = "rules.disclosure"
THERAPEUTIC_REASONS = frozenset(f"appropriateness.{code}" for code in CODES)


class StageFindings(Protocol):
    """What rules read of a stage's result."""

    @property
    def decision(self) -> Decision: ...

    @property
    def verdicts(self) -> tuple[Verdict, ...]: ...

    @property
    def risk(self) -> RiskLevel: ...


_LEVELS = tuple(RiskLevel)


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules of one policy; the empty ones ask for nothing.

    ``licensed_only``: reason codes of replies that only a licensed professional may
    give, replaced by ``licensed_texts``. ``disclose_every_minutes``: how often, and at
    each start, ``disclosure_texts`` is told; None for never. ``interrupt_from``: the
    risk from which the conversation is interrupted whatever the score. Texts are by
    locale.
    """

    licensed_only: frozenset[str] = frozenset()
    licensed_texts: Mapping[str, str] = field(default_factory=dict)
    disclose_every_minutes: int | None = None
    disclosure_texts: Mapping[str, str] = field(default_factory=dict)
    interrupt_from: RiskLevel | None = None

    def applied(self, result: StageFindings) -> tuple[Decision, tuple[str, ...]]:
        """The decision under these rules, and the codes of the rules that spoke."""
        decision, codes = result.decision, []
        if self._is_for_the_licensed(result):
            decision = max(decision, Decision.REPLACE)
            codes.append(LICENSED_ONLY)
        if self.interrupt_from and _reaches(result.risk, self.interrupt_from):
            decision = Decision.ESCALATE
            codes.append(INTERRUPT)
        return decision, tuple(codes)

    def _is_for_the_licensed(self, result: StageFindings) -> bool:
        return any(
            not self.licensed_only.isdisjoint(verdict.reasons)
            for verdict in result.verdicts
        )


def _reaches(risk: RiskLevel, level: RiskLevel) -> bool:
    return _LEVELS.index(risk) >= _LEVELS.index(level)


# Any: the checked JSON of a policy document.
def parse_rules(written: Mapping[str, Any]) -> Rules:
    """Rules from their JSON; PolicyInvalid for a reason code that no gate has."""
    licensed = written.get("licensed_only", {})
    disclosure = written.get("disclosure", {})
    reasons = frozenset(licensed.get("reasons", ()))
    if not reasons <= THERAPEUTIC_REASONS:
        unknown = ", ".join(sorted(reasons - THERAPEUTIC_REASONS))
        raise PolicyInvalid(f"licensed_only names reasons that no gate has: {unknown}")
    level = written.get("interrupt_from")
    return Rules(
        licensed_only=reasons,
        licensed_texts=MappingProxyType(dict(licensed.get("texts", {}))),
        disclose_every_minutes=disclosure.get("every_minutes"),
        disclosure_texts=MappingProxyType(dict(disclosure.get("texts", {}))),
        interrupt_from=RiskLevel(level) if level else None,
    )
