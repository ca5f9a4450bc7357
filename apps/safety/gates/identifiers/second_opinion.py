"""Presidio's recognisers as a second opinion on texts that hold digits.

Only pattern recognisers with check digits or context words are used: they need no
language model. Importing Presidio pulls in every NLP back end that is installed, torch
among them (8 s and 400 MB); none is needed here, so they are hidden while it loads.
Patterns of ours find the same kinds with less; Presidio adds countries.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from apps.safety.gates.identifiers.found import Identifier

_UNNEEDED = ("torch", "transformers", "stanza", "gliner", "flair")
# Presidio's own constants for context words (LemmaContextAwareEnhancer).
_CONTEXT_GAIN = 0.35
_CONTEXT_FLOOR = 0.4
_REACH = 60

RECOGNISERS: tuple[tuple[str, str], ...] = (
    ("CreditCardRecognizer", "CREDIT_CARD"),
    ("IbanRecognizer", "IBAN"),
    ("UsItinRecognizer", "SSN"),
    ("UsBankRecognizer", "ACCOUNT"),
    ("UsLicenseRecognizer", "DRIVER_LICENSE"),
    ("UsPassportRecognizer", "PASSPORT"),
    ("UsMbiRecognizer", "HEALTH_PLAN_ID"),
    ("UsNpiRecognizer", "PROVIDER_ID"),
    ("MedicalLicenseRecognizer", "PROVIDER_ID"),
    ("NhsRecognizer", "MRN"),
    ("UkNinoRecognizer", "SSN"),
    ("EsNifRecognizer", "SSN"),
    ("EsNieRecognizer", "SSN"),
    ("InAadhaarRecognizer", "SSN"),
    ("InPanRecognizer", "SSN"),
    ("AuTfnRecognizer", "SSN"),
    ("AuMedicareRecognizer", "HEALTH_PLAN_ID"),
    ("ItFiscalCodeRecognizer", "SSN"),
    ("SgFinRecognizer", "SSN"),
    ("PlPeselRecognizer", "SSN"),
)


@contextmanager
def without_tensor_libraries() -> Iterator[None]:
    """Imports inside see the heavy optional libraries as not installed.

    For start-up, in one thread: a library that is already loaded stays as it is.
    """
    hidden = [name for name in _UNNEEDED if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)


class SecondOpinion:
    """Presidio's pattern recognisers, asked one by one, without an NLP engine."""

    def __init__(self) -> None:
        with without_tensor_libraries():
            from presidio_analyzer import predefined_recognizers
        self._recognisers: list[tuple[Any, str, re.Pattern[str]]] = [
            _prepared(getattr(predefined_recognizers, name)(), kind)
            for name, kind in RECOGNISERS
        ]

    def find(self, text: str) -> Iterator[Identifier]:
        """Finds with Presidio's score, raised where a context word stands before."""
        for recogniser, kind, context in self._recognisers:
            for result in recogniser.analyze(text, recogniser.supported_entities):
                led = text[max(0, result.start - _REACH) : result.start]
                score = float(result.score)
                if score < 1.0 and context.search(led):
                    score = max(score + _CONTEXT_GAIN, _CONTEXT_FLOOR)
                if score >= _CONTEXT_FLOOR:
                    yield Identifier(result.start, result.end, kind, min(score, 0.95))


def _prepared(recogniser: Any, kind: str) -> tuple[Any, str, re.Pattern[str]]:
    """A recogniser (Presidio is untyped), its kind and its context words."""
    words = [re.escape(word) for word in recogniser.context or ()] or [r"(?!)"]
    return recogniser, kind, re.compile(rf"\b(?:{'|'.join(words)})\b", re.I)


@cache
def second_opinion() -> SecondOpinion:
    """The process's one instance; the first call takes about two seconds."""
    return SecondOpinion()
