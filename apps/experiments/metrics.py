"""Counts of rollouts for Prometheus; no label may carry a name that people choose."""

from __future__ import annotations

from prometheus_client import Counter

ROLLBACKS = Counter(
    "pe_rollout_rollbacks_total", "Rollouts that the platform took back."
)
SHADOWS = Counter(
    "pe_rollout_shadows_total", "Requests mirrored to a shadow.", ("outcome",)
)
