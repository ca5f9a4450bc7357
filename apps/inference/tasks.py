"""Celery entry points of the inference app."""

from __future__ import annotations

from celery import shared_task

from apps.accounts.permissions import system_actor
from apps.inference.batches import ending, running, submitting
from apps.inference.idempotency import delete_expired
from apps.inference.kept_text import purge_expired


@shared_task(name="inference.delete_expired_outcomes")
def delete_expired_outcomes() -> int:
    """Forget idempotent outcomes past their day; how many."""
    return delete_expired()


@shared_task(name="inference.purge_kept_texts")
def purge_kept_texts() -> int:
    """Purge kept texts past their time; how many."""
    return purge_expired()


@shared_task(name="inference.run_batch", acks_late=True)
def run_batch(job_id: str) -> None:
    """Answer lines for one turn, then queue up again behind whoever waits."""
    if running.run_batch(actor=system_actor("batch"), job_id=job_id):
        submitting.send(job_id)


@shared_task(name="inference.sweep_batches")
def sweep_batches() -> None:
    """Send lost messages again, forget what is past its time; safe to run twice."""
    ending.sweep_batches(actor=system_actor("batch"))
