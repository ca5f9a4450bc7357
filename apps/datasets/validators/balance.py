"""Are labels and subgroups present, and in similar numbers, in every split?

An unbalanced set can be right for its purpose, so most findings here are warnings for
the people who sign; only a label that one split never shows stops a version, because
nothing learned or measured there would be true of it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from apps.datasets.contracts import (
    DatasetValidator,
    Finding,
    Row,
    Severity,
    ValidationContext,
)

MAX_GROUPS = 1000
# Largest over smallest label, within a split.
MAX_RATIO = 3.0
# Rows of one subgroup in one split, below which no rate can be judged.
MIN_SUBGROUP_ROWS = 10


@dataclass(frozen=True, slots=True, order=True)
class Group:
    split: str
    value: str


class BalanceValidator(DatasetValidator):
    """Memory: one counter and one locator per (split, label) and (split, subgroup).

    More than 1,000 of them are reported and no longer counted.
    """

    name = "balance"
    version = "1"

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._counts: dict[str, Counter[Group]] = {
            role: Counter() for role in ("label", "subgroup")
        }
        self._first: dict[tuple[str, Group], int] = {}
        self._overflow: set[str] = set()

    def observe(self, row: Row) -> None:
        split = str(self.schema.value(row, "split") or "")
        for role, counts in self._counts.items():
            value = self.schema.value(row, role)
            if value is None:
                continue
            group = Group(split, str(value))
            if group not in counts and len(counts) >= MAX_GROUPS:
                self._overflow.add(role)
                continue
            counts[group] += 1
            self._first.setdefault((role, group), row.locator)

    def findings(self) -> tuple[Finding, ...]:
        found = [
            Finding(f"balance.too_many_{role}s", Severity.ERROR, 1)
            for role in sorted(self._overflow)
        ]
        for role, code in (("label", "label"), ("subgroup", "subgroup")):
            if role not in self._overflow:
                found += self._missing(role, f"balance.{code}_missing_in_split")
        if "label" not in self._overflow:
            found += self._uneven()
        if "subgroup" not in self._overflow:
            found += self._small()
        return tuple(found)

    def _missing(self, role: str, code: str) -> list[Finding]:
        counts = self._counts[role]
        splits = {str(split) for split in self.schema.allowed("split")}
        splits |= {group.split for group in counts}
        values = {str(value) for value in self.schema.allowed(role)}
        values |= {group.value for group in counts}
        missing = sum(
            Group(split, value) not in counts for split in splits for value in values
        )
        severity = Severity.ERROR if role == "label" else Severity.WARNING
        return [Finding(code, severity, missing)] if missing and counts else []

    def _uneven(self) -> list[Finding]:
        counts = self._counts["label"]
        rare = []
        for split in {group.split for group in counts}:
            sizes = {group: n for group, n in counts.items() if group.split == split}
            most = max(sizes.values())
            rare += [group for group, n in sizes.items() if most > n * MAX_RATIO]
        return self._warn("label", "balance.label_uneven", rare)

    def _small(self) -> list[Finding]:
        counts = self._counts["subgroup"]
        small = [group for group, n in counts.items() if n < MIN_SUBGROUP_ROWS]
        return self._warn("subgroup", "balance.subgroup_small", small)

    def _warn(self, role: str, code: str, groups: list[Group]) -> list[Finding]:
        """One finding; each locator is the first row of a group."""
        firsts = sorted(self._first[role, group] for group in groups)
        if not firsts:
            return []
        return [Finding(code, Severity.WARNING, len(firsts), tuple(firsts[:20]))]
