"""Which state of a version may follow which: a table and a pure question.

No database and no clock; the services ask here before they write.
"""

from __future__ import annotations

from apps.datasets.models import DatasetVersion

State = DatasetVersion.State

# The states from which each verb may be taken.
MAY: dict[str, frozenset[DatasetVersion.State]] = {
    "validate": frozenset({State.INGESTED, State.VALIDATED, State.QUARANTINED}),
    "submit": frozenset({State.VALIDATED}),
    "freeze": frozenset({State.APPROVED}),
    "retire": frozenset(
        {
            State.INGESTED,
            State.VALIDATED,
            State.QUARANTINED,
            State.APPROVED,
            State.FROZEN,
        }
    ),
}


def why_not(verb: str, state: str) -> str:
    """Why the verb cannot be taken from this state; empty when it can."""
    if state in MAY[verb]:
        return ""
    wanted = ", ".join(sorted(MAY[verb]))
    return f"To {verb} a version it must be {wanted}; this one is {state}."
