"""What changed between two JSON documents, place by place, for people who sign."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ABSENT = "(absent)"


@dataclass(frozen=True, slots=True)
class Change:
    """One place whose value differs; ``(absent)`` where a document lacks it."""

    place: str
    before: object
    after: object


# Any: JSON values.
def changes_between(before: Any, after: Any, place: str = "") -> Iterator[Change]:
    """Every leaf that differs, in the order of the documents."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            old, new = before.get(key, ABSENT), after.get(key, ABSENT)
            yield from changes_between(old, new, _below(place, key))
    elif isinstance(before, list) and isinstance(after, list):
        for number in range(max(len(before), len(after))):
            old = before[number] if number < len(before) else ABSENT
            new = after[number] if number < len(after) else ABSENT
            name = _name(new, _name(old, str(number + 1)))
            yield from changes_between(old, new, _below(place, name))
    elif before != after:
        yield Change(place, before, after)


def _below(place: str, key: str) -> str:
    return f"{place} / {key}" if place else key


def _name(value: Any, otherwise: str) -> str:
    return (
        str(value["name"])
        if isinstance(value, dict) and "name" in value
        else (otherwise)
    )
