"""Counters of judges for Prometheus; labels are names from the settings."""

from __future__ import annotations

from prometheus_client import Counter

JUDGE_FAILURES = Counter(
    "pe_judge_failures", "Times that a second judge gave no readable answer.", ["judge"]
)
JUDGE_DROPPED = Counter(
    "pe_judge_dropped", "Texts that no recorded judge saw, since too many waited."
)
QUEUE_FAILURES = Counter(
    "pe_disagreements_lost", "Disagreements that the database did not take."
)
