"""Celery entry points of the audit app."""

from __future__ import annotations

from celery import shared_task

from apps.audit import services
from apps.audit.verification import verify_and_record
from apps.core.actors import Actor, ActorKind

# The log sits below accounts, so its own actor is written down here.
MAINTENANCE = Actor(
    ActorKind.SYSTEM,
    "maintenance",
    "system:maintenance",
    permissions=frozenset({"audit.checkpoint_auditentry", "audit.verify_auditentry"}),
)


@shared_task(name="audit.write_checkpoint")
def write_checkpoint() -> None:
    """Sign the heads of all chains; safe to run twice."""
    services.write_checkpoint(actor=MAINTENANCE)


@shared_task(name="audit.verify_chains")
def verify_chains() -> None:
    """Read every link and record what was found; fails when one is broken."""
    verify_and_record(actor=MAINTENANCE)
