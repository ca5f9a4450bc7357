"""Could a field act rather than be read: a spreadsheet formula, a path to a file?

Rows are opened in spreadsheets and their fields end up in commands. A field that starts
a formula or names a file elsewhere is held back, whatever its author meant by it.
"""

from __future__ import annotations

import re

from apps.datasets.contracts import (
    DatasetValidator,
    Finding,
    Row,
    Severity,
    Tally,
    ValidationContext,
)

FORMULA = re.compile(r"[=+\-@\t\r]")
PLAIN_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
PATH = re.compile(
    r"""\.\.[\\/]                  # up and out
    | \bfile://                    # a file by its address
    | ^/[\w.-]+/                   # absolute
    | ^~/\w                       # from a home folder
    | ^[A-Za-z]:[\\/]              # with a drive
    | ^\\\\\w                      # on another machine
    """,
    re.VERBOSE | re.IGNORECASE,
)


class HazardValidator(DatasetValidator):
    """Memory: constant."""

    name = "hazards"
    version = "1"

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._tally = Tally(
            {"hazards.formula": Severity.ERROR, "hazards.path": Severity.ERROR}
        )

    def observe(self, row: Row) -> None:
        texts = [value for value in row.values.values() if isinstance(value, str)]
        if any(FORMULA.match(t) and not PLAIN_NUMBER.fullmatch(t) for t in texts):
            self._tally.add("hazards.formula", row.locator)
        if any(PATH.search(text) for text in texts):
            self._tally.add("hazards.path", row.locator)

    def findings(self) -> tuple[Finding, ...]:
        return self._tally.findings()
