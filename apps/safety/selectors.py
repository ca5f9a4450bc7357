"""Reads of the safety app."""

from __future__ import annotations

from apps.safety.errors import PolicyMissing
from apps.safety.policy import Policy


def policy_in_force(name: str | None = None) -> Policy:
    """The policy in force; PolicyMissing until policies are stored."""
    raise PolicyMissing(f"No safety policy {name or ''} is in force")
