"""Errors of the audit app."""

from __future__ import annotations

from apps.core.errors import IntegrityFailure


class ChainBroken(IntegrityFailure):
    """An entry, a head or a checkpoint does not agree with the others."""

    code = "audit_chain_broken"
    title = "Audit chain broken"
