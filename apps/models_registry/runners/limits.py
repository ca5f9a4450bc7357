"""Reading hyper-parameters: defaults overlaid with a manifest's, each within limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeVar

from apps.core.errors import InvalidInput

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

H = TypeVar("H", bound="DataclassInstance")


@dataclass(frozen=True, slots=True)
class Limit:
    low: float
    high: float


def parse_limited(
    kind: type[H],
    runner: str,
    limits: Mapping[str, Limit],
    content: Mapping[str, object],
) -> H:
    """A ``kind`` of these values; InvalidInput names what cannot be used.

    Each field of ``kind`` is an int or float with a limit, or a str without.
    """
    types = {field.name: str(field.type) for field in fields(kind)}
    unknown = sorted(set(content) - set(types))
    if unknown:
        raise InvalidInput(
            f"{runner} has no hyper-parameter {unknown[0]!r}; it has "
            f"{', '.join(sorted(types))}."
        )
    for name, value in content.items():
        if types[name] == "str":
            if not isinstance(value, str):
                raise InvalidInput(f"{name} must be text.")
        else:
            _check(name, value, limits[name], whole=types[name] == "int")
    # Each value was checked against its field just above.
    return kind(**content)


def _check(name: str, value: object, limit: Limit, *, whole: bool) -> None:
    wanted: tuple[type, ...] = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, wanted):
        kind = "a whole number" if whole else "a number"
        raise InvalidInput(f"{name} must be {kind}.")
    if not limit.low <= value <= limit.high:  # type: ignore[operator]
        raise InvalidInput(f"{name} must be from {limit.low:g} to {limit.high:g}.")
