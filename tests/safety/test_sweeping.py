"""Two sweeps at once do what one does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.permissions import system_actor
from apps.accounts.roles import Role
from apps.audit.selectors import verify_chains
from apps.safety import services, tasks
from apps.safety.models import Escalation

SWEEPS = 4


def at_once(work: Callable[[], object], times: int) -> list[object]:
    """Run the work in so many threads that start together; their results."""
    gate, results = threading.Barrier(times), []

    def run() -> None:
        gate.wait()
        try:
            results.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_concurrent_sweeps_raise_a_case_once_and_tell_each_person_once(
    opened: Callable[..., Escalation],
    person: Callable[..., User],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks.notify, "delay", lambda *_: None)
    settings.PE_MAIL_IS_CONFIGURED = True
    settings.PE_ON_CALL = ["ann", "bea"]
    for name in ("ann", "bea"):
        person(name, Role.RESPONDER, email=f"{name}@example.org")
    row = opened()
    late = timezone.now() - timedelta(hours=1)
    Escalation.objects.filter(pk=row.pk).update(opened_at=late, due_at=late)
    sweeper = system_actor("escalation")

    moved = at_once(lambda: services.sweep_overdue_escalations(actor=sweeper), SWEEPS)
    row.steps.update(at=late)
    at_once(lambda: services.sweep_overdue_escalations(actor=sweeper), SWEEPS)

    row.refresh_from_db()
    assert sorted(moved) == [0, 0, 0, 1]
    assert row.rung == 1
    assert [message.to for message in mail.outbox] == [["bea@example.org"]]
    assert row.steps.filter(kind="notified").count() == 1
    assert verify_chains()
