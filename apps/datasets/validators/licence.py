"""May each row be used at all: is its licence one that the platform accepts?"""

from __future__ import annotations

from apps.datasets.contracts import (
    DatasetValidator,
    Finding,
    Row,
    Severity,
    Tally,
    ValidationContext,
)


class LicenceValidator(DatasetValidator):
    """Memory: constant. Without a licence field, the dataset's own licence counts."""

    name = "licence"
    version = "1"

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._tally = Tally(
            {"licence.missing": Severity.ERROR, "licence.not_allowed": Severity.ERROR}
        )

    def observe(self, row: Row) -> None:
        licence = self.context.licence
        if "licence" in self.schema.roles:
            licence = str(self.schema.value(row, "licence") or "")
        if not licence:
            self._tally.add("licence.missing", row.locator)
        elif licence not in self.context.allowed_licences:
            self._tally.add("licence.not_allowed", row.locator)

    def findings(self) -> tuple[Finding, ...]:
        return self._tally.findings()
