"""What a reader of rows sees in place of identifiers.

How texts are masked is a plug-in (``PE_DATASET_MASKS``), since the stronger detectors
belong to an app above this one. The id of a row becomes another in each grant, so that
two programs cannot join theirs.
"""

from __future__ import annotations

import re
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from django.conf import settings

from apps.core.digests import keyed_digest
from apps.core.plugins import load_class
from apps.datasets.contracts import DatasetSchema, Scalar
from apps.datasets.validators.identifiers import (
    CARD,
    EMAIL,
    PHONE,
    SSN,
    URL,
    luhn_valid,
)

PSEUDONYM_HEX = 16


class TextMasks(ABC):
    """Hides the identifiers in one text."""

    name: ClassVar[str] = ""

    @abstractmethod
    def masked(self, text: str) -> str:
        """The text with each identifier replaced by its kind in brackets. Never raises;
        a text that cannot be judged is withheld."""


class PatternMasks(TextMasks):
    """Patterns, as the validator's: what is written in the usual way is found, names
    are not."""

    name = "patterns"

    def masked(self, text: str) -> str:
        text = URL.sub("[URL]", EMAIL.sub("[EMAIL]", text))
        if not any(char.isdigit() for char in text):
            return text
        text = CARD.sub(_masked_card, text)
        return PHONE.sub("[PHONE]", SSN.sub("[SSN]", text))


class Masker:
    """Hides identifiers in the rows of one grant; the same input, the same output."""

    def __init__(self, schema: DatasetSchema, grant_id: uuid.UUID) -> None:
        self._id_field = schema.roles.get("id", "")
        self._grant_id = grant_id
        # Words that the schema lists are labels, not what somebody wrote.
        self._listed = {spec.name for spec in schema.fields if spec.allowed}
        self._texts = load_class(settings.PE_DATASET_MASKS, TextMasks)()  # type: ignore[type-abstract]

    def row(self, values: Mapping[str, Scalar], kept: str = "") -> dict[str, Scalar]:
        """The same fields, masked; the field ``kept`` is left as it is."""
        return {
            name: value if name == kept else self._value(name, value)
            for name, value in values.items()
        }

    def _value(self, name: str, value: Scalar) -> Scalar:
        if value is None:
            return None
        if name == self._id_field:
            return pseudonym(self._grant_id, str(value))
        if not isinstance(value, str) or name in self._listed:
            return value
        return self._texts.masked(value)


def pseudonym(grant_id: uuid.UUID, value: str) -> str:
    """A name for a row within one grant: ``r-`` and 16 hexadecimal digits."""
    key = str(settings.PE_TEXT_DIGEST_KEY).encode()
    named = b"dataset row v1|" + grant_id.bytes + value.encode("utf-8", "surrogatepass")
    digest = keyed_digest(key, named).partition(":")[2]
    return f"r-{digest[:PSEUDONYM_HEX]}"


def _masked_card(found: re.Match[str]) -> str:
    digits = re.sub(r"[ -]", "", found[0])
    return "[CARD]" if luhn_valid(digits) else found[0]
