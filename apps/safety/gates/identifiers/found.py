"""One found identifier, and how overlapping finds are settled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

_SURE_ALONE = 0.75


@dataclass(frozen=True, slots=True)
class Identifier:
    """Half-open range in code points, the kind, and how sure the find is in [0, 1]."""

    start: int
    end: int
    kind: str
    confidence: float


def settle(found: Iterable[Identifier]) -> tuple[Identifier, ...]:
    """Without overlaps: the surer of two stays, of equally sure ones the longer.

    Where half or more of a sure find sticks out of surer ones, that part is kept: half
    a postcode behind a street is still half a postcode.
    """
    ranked = sorted(
        found, key=lambda item: (-item.confidence, item.start - item.end, item.start)
    )
    kept: list[Identifier] = []
    for item in ranked:
        if item.start >= item.end:
            continue
        near = [k for k in kept if k.start < item.end and item.start < k.end]
        if not near:
            kept.append(item)
        elif item.confidence >= _SURE_ALONE:
            parts = list(_outside(item, near))
            if 2 * sum(p.end - p.start for p in parts) >= item.end - item.start:
                kept.extend(parts)
    return tuple(sorted(kept, key=lambda item: item.start))


def _outside(item: Identifier, near: Iterable[Identifier]) -> Iterator[Identifier]:
    """The parts of a find that no other covers."""
    position = item.start
    for other in sorted(near, key=lambda one: one.start):
        if position < other.start:
            yield replace(item, start=position, end=other.start)
        position = max(position, other.end)
    if position < item.end:
        yield replace(item, start=position)
