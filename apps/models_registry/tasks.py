"""Celery entry points: identifiers in, one service call, done."""

from __future__ import annotations

from celery import shared_task

from apps.accounts.permissions import system_actor
from apps.models_registry import services, training


@shared_task(name="models_registry.run_training", acks_late=True)
def run_training(run_id: str) -> None:
    """Train a run, unless someone else has it. Safe to deliver twice."""
    training.run_training(run_id)


@shared_task(name="models_registry.requeue_lost_runs")
def requeue_lost_runs() -> None:
    """Put runs back whose worker is gone; safe to run twice."""
    services.requeue_lost_runs(actor=system_actor("trainer"))
