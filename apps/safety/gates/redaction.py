"""Redaction: the final pass over exactly what leaves, after every other gate.

Looks again for identifiers, and for what a model may leak besides: keys, tokens,
placeholders gone wrong, internal markers. It must run last and never be skipped; what
it finds is masked, and a secret blocks the reply.
"""

from __future__ import annotations

import re
from typing import ClassVar

from apps.safety.contracts import (
    Decision,
    Inspection,
    Span,
    Stage,
    Thresholds,
    Verdict,
)
from apps.safety.gates.base import OUTPUT_ONLY, BaseGate, Finding, GateKit, Ruling
from apps.safety.gates.identifiers.detect import find_identifiers
from apps.safety.gates.lexicons.profanity_en import PROFANITY
from apps.safety.gates.text import fold

SECRETS: tuple[tuple[str, float, re.Pattern[str]], ...] = (
    ("SECRET", 0.99, re.compile(
        r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----(?:[\s\S]{0,4000}?-----END)?"
    )),
    ("SECRET", 0.97, re.compile(
        r"(?<!\w)(?:sk-(?:proj-|ant-)?[\w-]{16,120}|sk_(?:live|test)_\w{16,64}|"
        r"gh[pousr]_\w{30,80}|github_pat_\w{20,90}|xox[abprs]-[\w-]{10,80}|"
        r"AKIA[0-9A-Z]{16}|ASIA[0-9A-Z]{16}|AIza[\w-]{35}|glpat-[\w-]{20,40}|"
        r"hf_[A-Za-z]{30,40}|npm_\w{36}|pe_\w{6,16}_[\w-]{20,80})(?![\w-])"
    )),
    ("SECRET", 0.95, re.compile(
        r"(?<!\w)eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{10,1000}"
    )),
    ("SECRET", 0.9, re.compile(
        r"\b(?:postgres(?:ql)?|mysql|mongodb(?:\+srv)?|redis|amqps?)://[^\s:@/]{1,64}:"
        r"[^\s@/]{1,128}@[^\s]{1,200}"
    )),
    ("SECRET", 0.85, re.compile(
        r"(?i)\b(?:api[_ -]?key|secret(?:[_ -]?key)?|access[_ -]?token|auth[_ -]?token|"
        r"bearer|client[_ -]?secret)\b\s{0,2}(?:is|[:=])?\s{0,2}['\"]?"
        r"(?=[\w+/.-]*\d)[\w+/.-]{16,200}"
    )),
    ("INTERNAL", 0.8, re.compile(
        r"<\|[a-z_]{2,30}\|>|\[/?INST\]|<</?SYS>>|</?(?:system|assistant|think)>|"
        r"(?im:^(?:system|developer) prompt:)"
    )),
)  # fmt: skip
_PROFANITY = re.compile(rf"\b(?:{PROFANITY})\b")
_BLOCKING = "SECRET"


class RedactionGate(BaseGate):
    """Masks leftovers, blocks secrets; always the last gate."""

    name: ClassVar[str] = "redaction"
    version: ClassVar[str] = "1.1.0"
    stages: ClassVar[frozenset[Stage]] = OUTPUT_ONLY
    thresholds: ClassVar[tuple[str, ...]] = ("mask", "profanity")
    reasons: ClassVar[tuple[str, ...]] = (
        "redaction.identifier",
        "redaction.secret",
        "redaction.internal",
        "redaction.profanity",
    )

    def __init__(self, kit: GateKit) -> None:
        self._second, self._names = kit.second, kit.names

    def inspect(self, inspection: Inspection, thresholds: Thresholds) -> Verdict:
        threshold = thresholds.get("mask")
        found = [
            (item.confidence, "identifier", Span(item.start, item.end, item.kind))
            for item in find_identifiers(inspection.text, self._second, self._names)
        ]
        found.extend(_secrets(inspection.text))
        sure = [item for item in found if item[0] >= threshold]
        sure.extend(_profanities(inspection.text, thresholds.get("profanity")))
        finding = Finding(
            max((item[0] for item in (*found, *sure)), default=0.0),
            tuple(f"redaction.{reason}" for _score, reason, _span in sure),
            tuple(sorted((span for *_rest, span in sure), key=lambda span: span.start)),
        )
        return self.verdict(finding, Ruling(_decide(finding.spans), threshold))


def _decide(spans: tuple[Span, ...]) -> Decision:
    if any(span.type == _BLOCKING for span in spans):
        return Decision.BLOCK
    return Decision.MASK if spans else Decision.ALLOW


def _secrets(text: str) -> list[tuple[float, str, Span]]:
    return [
        (weight, kind.lower(), Span(*match.span(), kind))
        for kind, weight, pattern in SECRETS
        for match in pattern.finditer(text)
    ]


def _profanities(text: str, threshold: float) -> list[tuple[float, str, Span]]:
    """Profanity is left alone at a threshold of 1, masked below it."""
    if threshold >= 1.0:
        return []
    folded = fold(text)
    return [
        (0.5, "profanity", Span(*folded.origin(*match.span()), "PROFANITY"))
        for match in _PROFANITY.finditer(folded.text)
    ]
