"""Privacy: whose identifiers stand in this text?

Masked before a model sees them and before anyone does. The score is how sure the
surest find is; only finds at or above the policy's ``mask`` threshold become spans.
Which HIPAA identifiers are found, and which are not, stands in docs/gates/privacy.md.
"""

from __future__ import annotations

from typing import ClassVar

from apps.safety.contracts import (
    Decision,
    Inspection,
    Span,
    Stage,
    Thresholds,
    Verdict,
)
from apps.safety.gates.base import BOTH_STAGES, BaseGate, Finding, GateKit, Ruling
from apps.safety.gates.identifiers.detect import find_identifiers

KINDS = (
    "EMAIL", "PHONE", "URL", "IP_ADDRESS", "USERNAME", "PASSWORD", "CREDIT_CARD",
    "IBAN", "ACCOUNT", "SSN", "PASSPORT", "MRN", "HEALTH_PLAN_ID", "DRIVER_LICENSE",
    "PROVIDER_ID", "VEHICLE", "DEVICE_ID", "DATE", "AGE", "ADDRESS", "ZIP_CODE", "NAME",
    "LOCATION", "ORGANIZATION", "ID", "BIOMETRIC", "PHOTO",
)  # fmt: skip


class PrivacyGate(BaseGate):
    """Masks identifiers on both stages."""

    name: ClassVar[str] = "privacy"
    version: ClassVar[str] = "1.1.0"
    stages: ClassVar[frozenset[Stage]] = BOTH_STAGES
    thresholds: ClassVar[tuple[str, ...]] = ("mask",)
    reasons: ClassVar[tuple[str, ...]] = tuple(
        f"privacy.{kind.lower()}" for kind in KINDS
    )

    def __init__(self, kit: GateKit) -> None:
        self._second, self._names = kit.second, kit.names

    def inspect(self, inspection: Inspection, thresholds: Thresholds) -> Verdict:
        threshold = thresholds.get("mask")
        found = find_identifiers(inspection.text, self._second, self._names)
        sure = [item for item in found if item.confidence >= threshold]
        finding = Finding(
            max((item.confidence for item in found), default=0.0),
            tuple(f"privacy.{item.kind.lower()}" for item in sure),
            tuple(Span(item.start, item.end, item.kind) for item in sure),
        )
        decision = Decision.MASK if sure else Decision.ALLOW
        model = self._names.version if self._names else ""
        return self.verdict(finding, Ruling(decision, threshold), model_version=model)
