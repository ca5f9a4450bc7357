"""Celery entry points of the inference app."""

from __future__ import annotations

from celery import shared_task

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
