"""The tiers that ship as code. They bound programs, never who may be helped.

`manage.py sync_tiers` creates the missing ones; a deployment may then change its
numbers through the service, which the audit log shows.
"""

from __future__ import annotations

from apps.accounts.contracts import TierFacts

TIERS = (
    TierFacts(
        slug="free",
        requests_per_second=1,
        burst=5,
        daily_quota=1_000,
        monthly_quota=10_000,
        max_text_chars=4_000,
    ),
    TierFacts(
        slug="standard",
        requests_per_second=20,
        burst=60,
        daily_quota=100_000,
        monthly_quota=2_000_000,
        max_text_chars=20_000,
    ),
    TierFacts(
        slug="high",
        requests_per_second=1_000,
        burst=2_000,
        daily_quota=20_000_000,
        monthly_quota=500_000_000,
        max_text_chars=20_000,
    ),
)
