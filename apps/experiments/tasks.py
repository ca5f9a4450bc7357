"""Celery entry points: identifiers in, one service call, done."""

from __future__ import annotations

from celery import shared_task

from apps.accounts.permissions import system_actor
from apps.experiments import services


@shared_task(name="experiments.evaluate_required")
def evaluate_required(version_id: str) -> None:
    """Every required report on a version; measuring again changes nothing."""
    services.evaluate_required(actor=system_actor("evaluator"), version_id=version_id)


@shared_task(name="experiments.watch_rollouts")
def watch_rollouts() -> list[str]:
    """Take back every rollout that harms; safe to run twice. Their ids."""
    return services.watch_rollouts(actor=system_actor("rollouts"))


@shared_task(name="experiments.advance_sweeps")
def advance_sweeps() -> list[str]:
    """Settle trials that ended, queue the next; safe to run twice. Ids that ended."""
    return services.advance_sweeps(actor=system_actor("sweeps"))
