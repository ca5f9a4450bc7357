"""One found identifier, and how overlapping finds are settled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identifier:
    """Half-open range in code points, the kind, and how sure the find is in [0, 1]."""

    start: int
    end: int
    kind: str
    confidence: float


def settle(found: Iterable[Identifier]) -> tuple[Identifier, ...]:
    """Without overlaps: the surer of two stays, of equally sure ones the longer."""
    ranked = sorted(
        found, key=lambda item: (-item.confidence, item.start - item.end, item.start)
    )
    kept: list[Identifier] = []
    taken: set[int] = set()
    for item in ranked:
        cells = range(item.start, item.end)
        if item.start < item.end and taken.isdisjoint(cells):
            kept.append(item)
            taken.update(cells)
    return tuple(sorted(kept, key=lambda item: item.start))
