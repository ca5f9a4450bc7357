"""Running the validators over a stream of rows: once, side by side, in one pass.

A pure step: rows in, findings out. It stores nothing and decides nothing but whether
an ERROR was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from apps.datasets.contracts import (
    DatasetValidator,
    Finding,
    Row,
    Severity,
    ValidationContext,
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What all validators found; ``versions`` maps their names to their versions."""

    row_count: int
    versions: Mapping[str, str]
    findings: tuple[tuple[str, Finding], ...]

    @property
    def passed(self) -> bool:
        return all(found.severity is not Severity.ERROR for _, found in self.findings)


def run_validators(
    rows: Iterable[Row],
    context: ValidationContext,
    family: Mapping[str, type[DatasetValidator]],
) -> Outcome:
    """Show every row to every validator, then collect findings by validator name."""
    with ExitStack() as stack:
        validators = [kind(context) for kind in family.values()]
        for validator in validators:
            stack.callback(validator.close)
        count = 0
        for row in rows:
            count += 1
            for validator in validators:
                validator.observe(row)
        found = tuple(
            (validator.name, finding)
            for validator in validators
            for finding in validator.findings()
        )
    return Outcome(count, {kind.name: kind.version for kind in family.values()}, found)
