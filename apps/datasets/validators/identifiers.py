"""Does a row still hold something that could name a person?

Plain patterns, chosen to find what is written in the usual way. They are a last net
before people sign, not a promise of anonymity: names and places are not looked for.
The privacy gate of the safety app is a different, stronger thing; this app lies below
it and must not import it.
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

EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
URL = re.compile(r"\b(?:https?://|www\.)\S{3,}", re.IGNORECASE)
SSN = re.compile(r"(?<!\d)\d{3}[- ]\d{2}[- ]\d{4}(?!\d)")
CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
PHONE = re.compile(r"(?<![\d\w])\+?\(?\d(?:[\s()./-]{0,2}\d){8,14}(?!\d)")
CODES = (
    "identifiers.email", "identifiers.url", "identifiers.ssn", "identifiers.card",
    "identifiers.phone",
)  # fmt: skip


def luhn_valid(digits: str) -> bool:
    """The checksum of payment cards (ISO/IEC 7812-1, annex B)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def identifiers_in(text: str) -> set[str]:
    """The codes of what stands in a text."""
    found = set()
    if "@" in text and EMAIL.search(text):
        found.add("identifiers.email")
    if URL.search(text):
        found.add("identifiers.url")
    if not any(char.isdigit() for char in text):
        return found
    cards = [re.sub(r"[ -]", "", match[0]) for match in CARD.finditer(text)]
    if any(luhn_valid(digits) for digits in cards):
        found.add("identifiers.card")
    elif SSN.search(text):
        found.add("identifiers.ssn")
    elif PHONE.search(text):
        found.add("identifiers.phone")
    return found


class IdentifierValidator(DatasetValidator):
    """Memory: constant. A row counts once for each code."""

    name = "identifiers"
    version = "1"

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._tally = Tally(dict.fromkeys(CODES, Severity.ERROR))

    def observe(self, row: Row) -> None:
        found: set[str] = set()
        for value in row.values.values():
            if isinstance(value, str):
                found |= identifiers_in(value)
        for code in sorted(found):
            self._tally.add(code, row.locator)

    def findings(self) -> tuple[Finding, ...]:
        return self._tally.findings()
