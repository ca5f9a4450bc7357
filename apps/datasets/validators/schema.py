"""Does each row have the fields, types and values that its dataset declares?"""

from __future__ import annotations

from apps.datasets.contracts import (
    DatasetValidator,
    FieldSpec,
    Finding,
    Row,
    Severity,
    Tally,
    ValidationContext,
)

CODES = (
    "schema.missing_field", "schema.unknown_field", "schema.wrong_type",
    "schema.value_not_allowed", "schema.too_long", "schema.empty_text",
)  # fmt: skip


class SchemaValidator(DatasetValidator):
    """Memory: constant."""

    name = "schema"
    version = "1"

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._specs = self.schema.by_name()
        self._tally = Tally(dict.fromkeys(CODES, Severity.ERROR))

    def observe(self, row: Row) -> None:
        if row.values.keys() - self._specs.keys():
            self._tally.add("schema.unknown_field", row.locator)
        for spec in self.schema.fields:
            code = self._problem(spec, row)
            if code:
                self._tally.add(code, row.locator)

    def _problem(self, spec: FieldSpec, row: Row) -> str:
        value = row.values.get(spec.name)
        if value is None:
            return "schema.missing_field" if spec.required else ""
        if not spec.accepts_type(value):
            return "schema.wrong_type"
        if spec.allowed and value not in spec.allowed:
            return "schema.value_not_allowed"
        if isinstance(value, str) and spec.required and not value.strip():
            return "schema.empty_text"
        if isinstance(value, str) and len(value) > (spec.max_length or len(value)):
            return "schema.too_long"
        return ""

    def findings(self) -> tuple[Finding, ...]:
        return self._tally.findings()
