"""What the apps above learn about a key: frozen values, no rows, no secrets.

Nothing here imports Django. ``None`` for ``allowed_models`` means every model; an
empty set means none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class TierFacts:
    """The numbers a key is bound by."""

    slug: str
    requests_per_second: float
    burst: int
    daily_quota: int
    monthly_quota: int
    max_text_chars: int  # code points
    allowed_models: frozenset[str] | None = None

    def allows_model(self, name: str) -> bool:
        return self.allowed_models is None or name in self.allowed_models


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """An authenticated key. ``family_id`` is what rate and quota are counted for.

    ``jurisdiction`` names the policy that decides for it; empty for the default one.
    """

    id: UUID
    family_id: UUID
    prefix: str
    label: str
    owner_id: str
    scopes: frozenset[str]
    tier: TierFacts
    expires_at: datetime | None = None
    jurisdiction: str = ""

    @property
    def is_authenticated(self) -> bool:
        """True: DRF asks this of whatever stands in for a person."""
        return True


@dataclass(frozen=True, slots=True)
class RateState:
    """After a request was let through: ``remaining`` of ``limit`` may come at once."""

    limit: int
    remaining: int
    reset_s: float  # until ``remaining`` is ``limit`` again


@dataclass(frozen=True, slots=True)
class QuotaState:
    """What is left of one period's quota."""

    period: str
    limit: int
    used: int
    reset_s: float

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)
