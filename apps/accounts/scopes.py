"""Scopes as code: what an API key may be allowed to do, and nothing else.

A scope gives the key's actor the permissions listed here, which services check as they
check a person's. No scope lets a program sign, promote or answer an escalation.
"""

from __future__ import annotations

from collections.abc import Iterable

from apps.core.errors import InvalidInput

SCOPE_PERMISSIONS: dict[str, frozenset[str]] = {
    "inference:predict": frozenset({"inference.add_inferencerecord"}),
    # Every line of a batch is a request of its own, and recorded as one.
    "inference:batch": frozenset(
        {
            "inference.add_inferencerecord",
            "inference.add_batchjob",
            "inference.cancel_batchjob",
            "inference.view_batchjob",
        }
    ),
    "inference:read": frozenset({"inference.view_inferencerecord"}),
    "inference:replay": frozenset({"inference.replay_inferencerecord"}),
    "datasets:read": frozenset({"datasets.read_datasetgrant"}),
    "models:read": frozenset(
        {
            "models_registry.view_registeredmodel",
            "models_registry.view_modelversion",
        }
    ),
}


def checked_scopes(scopes: Iterable[str]) -> list[str]:
    """The scopes sorted, once each; InvalidInput when empty or unknown."""
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in SCOPE_PERMISSIONS]
    if unknown or not wanted:
        known = ", ".join(sorted(SCOPE_PERMISSIONS))
        found = ", ".join(map(repr, unknown)) or "none"
        raise InvalidInput(f"A key needs scopes out of: {known}. Found: {found}.")
    return wanted


def permissions_of(scopes: Iterable[str]) -> frozenset[str]:
    """What the scopes allow; a scope that code no longer knows allows nothing."""
    return frozenset().union(*(SCOPE_PERMISSIONS.get(s, frozenset()) for s in scopes))
