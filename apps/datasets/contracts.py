"""What a dataset row is, how rows are described, and what a validator may say of them.

Frozen values only, nothing from Django. A finding names a code, a count and where to
look; it can never carry a value, because a value may be what somebody confided.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from apps.datasets.errors import SchemaInvalid

Scalar = str | int | float | bool | None
MAX_LOCATORS = 20


class FileFormat(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"


class Severity(StrEnum):
    """ERROR quarantines the version; the others are for the people who sign."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Row:
    """One sample. ``locator`` is its 1-based position among the rows of the file."""

    locator: int
    values: Mapping[str, Scalar]


FIELD_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
ROLES = ("id", "text", "label", "subgroup", "split", "licence")


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field: its type, and for strings the allowed values and length."""

    name: str
    type: str = "string"
    required: bool = True
    allowed: tuple[Scalar, ...] = ()
    max_length: int | None = None

    def accepts_type(self, value: Scalar) -> bool:
        if isinstance(value, bool):
            return self.type == "boolean"
        return isinstance(value, FIELD_TYPES[self.type])


@dataclass(frozen=True, slots=True)
class DatasetSchema:
    """The fields of a row, and which of them is the id, the text, the label and so on.

    A role that no field plays is absent from ``roles``; the validators that need it
    then have nothing to say.
    """

    fields: tuple[FieldSpec, ...]
    roles: Mapping[str, str] = field(default_factory=dict)

    def by_name(self) -> dict[str, FieldSpec]:
        return {spec.name: spec for spec in self.fields}

    def value(self, row: Row, role: str) -> Scalar:
        """The value that plays a role in this row; None when there is none."""
        name = self.roles.get(role)
        return row.values.get(name) if name else None

    def allowed(self, role: str) -> tuple[Scalar, ...]:
        """The values the field of a role may take, where the schema lists them."""
        spec = self.by_name().get(self.roles.get(role, ""))
        return spec.allowed if spec else ()


def parse_schema(content: object) -> DatasetSchema:
    """A schema from its stored JSON; SchemaInvalid names what is wrong."""
    if not isinstance(content, Mapping) or not isinstance(content.get("fields"), list):
        raise SchemaInvalid('A schema is an object with "fields", a list.')
    unknown = sorted(set(content) - {"fields", "roles"})
    if unknown:
        raise SchemaInvalid(f"A schema has no {unknown[0]!r}; only fields and roles.")
    fields = tuple(_parse_field(entry) for entry in content["fields"])
    names = [spec.name for spec in fields]
    if not names or len(set(names)) != len(names):
        raise SchemaInvalid("A schema needs at least one field, each named once.")
    roles = content.get("roles", {})
    if not isinstance(roles, Mapping) or not set(roles) <= set(ROLES):
        raise SchemaInvalid(f"Roles may be {', '.join(ROLES)}.")
    stray = [role for role, name in roles.items() if name not in names]
    if stray:
        raise SchemaInvalid(f"The role {stray[0]} names a field that does not exist.")
    return DatasetSchema(fields=fields, roles=dict(roles))


def _parse_field(entry: object) -> FieldSpec:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        raise SchemaInvalid('Each field is an object with a "name".')
    known = {"name", "type", "required", "allowed", "max_length"}
    if not entry["name"] or not set(entry) <= known:
        raise SchemaInvalid(f"A field has only {', '.join(sorted(known))}.")
    allowed, length = entry.get("allowed", []), entry.get("max_length")
    spec = FieldSpec(
        name=entry["name"],
        type=str(entry.get("type", "string")),
        required=entry.get("required", True) is True,
        allowed=tuple(allowed) if isinstance(allowed, list) else (None,),
        max_length=length if isinstance(length, int) else None,
    )
    if spec.type not in FIELD_TYPES:
        raise SchemaInvalid(f"{spec.name}: a type is one of {', '.join(FIELD_TYPES)}.")
    if not all(spec.accepts_type(value) for value in spec.allowed):
        raise SchemaInvalid(f"{spec.name}: allowed is a list of {spec.type} values.")
    if length is not None and (spec.max_length is None or spec.max_length < 1):
        raise SchemaInvalid(f"{spec.name}: max_length is a whole number from 1.")
    return spec


@dataclass(frozen=True, slots=True)
class Finding:
    """``count`` rows or groups show ``code``; ``locators`` are the first of them."""

    code: str
    severity: Severity
    count: int
    locators: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ValidationContext:
    """What every validator is told before the first row."""

    schema: DatasetSchema
    licence: str = ""
    allowed_licences: frozenset[str] = frozenset()


class DatasetValidator(ABC):
    """Sees each row once, in order, then says what it found.

    ``version`` changes whenever findings could. A validator opens nothing of the
    platform; its memory does not grow with the number of rows unless its docstring
    states the bound.
    """

    name: ClassVar[str] = ""
    version: ClassVar[str] = ""

    def __init__(self, context: ValidationContext) -> None:
        self.context = context
        self.schema = context.schema

    @abstractmethod
    def observe(self, row: Row) -> None:
        """Look at one row."""

    @abstractmethod
    def findings(self) -> tuple[Finding, ...]:
        """What was found; called once, after the last row."""

    def close(self) -> None:
        """Give back scratch space; safe to call twice."""
        return None


class Tally:
    """Counts by code, with the first locators of each, in constant space."""

    def __init__(self, severities: Mapping[str, Severity]) -> None:
        self._severities = severities
        self._counts: dict[str, int] = {}
        self._locators: dict[str, list[int]] = {}

    def add(self, code: str, locator: int | None = None) -> None:
        self._counts[code] = self._counts.get(code, 0) + 1
        kept = self._locators.setdefault(code, [])
        if locator is not None and len(kept) < MAX_LOCATORS:
            kept.append(locator)

    def findings(self) -> tuple[Finding, ...]:
        return tuple(
            Finding(code, severity, self._counts[code], tuple(self._locators[code]))
            for code, severity in self._severities.items()
            if code in self._counts
        )
