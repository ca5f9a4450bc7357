"""Which arm answers a participant: a keyed hash, so nothing about them is stored.

The same participant of the same caller falls to the same place in every process and at
every step; who lacks the key can neither predict nor choose it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from apps.core.digests import keyed_digest
from apps.experiments.rollouts.plan import CONTROL, Step

# Hexadecimal digits that are used of a hash: 52 bits, as many as a float holds.
DIGITS = 13


@dataclass(frozen=True, slots=True)
class Layout:
    """How one step divides [0, 1): each arm from its offset as far as its share."""

    offsets: Mapping[str, float]
    step: Step

    def arm_at(self, place: float) -> str:
        """The arm of a place in [0, 1)."""
        for arm, start in self.offsets.items():
            if start <= place < start + self.step.share(arm):
                return arm
        return CONTROL


def place_of(*, key: bytes, salt: str, unit: str) -> float:
    """Where a unit falls in [0, 1), evenly; another salt shuffles everybody anew."""
    content = f"rollout\x1f{salt}\x1f{unit}".encode("utf-8", "surrogatepass")
    digits = keyed_digest(key, content).rpartition(":")[2][:DIGITS]
    return float(int(digits, 16) / 16**DIGITS)


def unit_of(*, caller_id: str, participant_ref: str, request_id: UUID) -> str:
    """Who is assigned: the caller's participant, or this request when none is named."""
    if participant_ref:
        return f"participant\x1f{caller_id}\x1f{participant_ref}"
    return f"request\x1f{request_id}"


def reason_of(rollout_id: str, step: int, arm: str) -> str:
    """What the record of a request says about its arm."""
    return f"rollout:{rollout_id}/{step}/{arm}"


def rollout_of(reason: str) -> tuple[UUID, int] | None:
    """The rollout and step that a record's reason names; None for another router's."""
    kind, _, named = reason.partition(":")
    parts = named.split("/")
    if kind != "rollout" or len(parts) != 3 or not parts[1].isdigit():
        return None
    return UUID(parts[0]), int(parts[1])
