"""The request id leaves with a message and is current while its task runs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from celery import shared_task, signals

from apps.accounts.permissions import system_actor
from apps.accounts.roles import Role
from apps.audit.models import AuditEntry
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.context import current_request_id, request_context
from pe_platform.celery import ACTOR_HEADER, REQUEST_ID_HEADER, app


@shared_task(name="tests.note_request_id")
def note_request_id() -> None:
    """Exists to be sent."""


def _sent_header(name: str = REQUEST_ID_HEADER) -> Any:
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue("tests")
        message = queue.get(timeout=5)
        message.ack()
        queue.close()
    return message.headers[name]


def test_a_message_carries_the_request_id_of_its_sender():
    with request_context("caller-1234"):
        note_request_id.apply_async(queue="tests")

    assert _sent_header() == "caller-1234"


def test_a_message_sent_outside_a_request_gets_an_id_of_its_own():
    note_request_id.apply_async(queue="tests")

    assert len(_sent_header()) == 36


def test_the_id_in_the_message_is_current_while_the_task_runs():
    task = SimpleNamespace(request={REQUEST_ID_HEADER: "caller-5678"})

    signals.task_prerun.send(sender=None, task_id="t1", task=task)
    inside = current_request_id()
    signals.task_postrun.send(sender=None, task_id="t1", task=task)

    assert inside == "caller-5678"
    assert current_request_id() == ""


@pytest.mark.django_db
def test_an_entry_of_a_task_names_whose_action_sent_it(acting):
    sender = acting("olga", Role.OPERATOR)
    with request_context("caller-1234"):
        _record("tests.sent", sender)
        note_request_id.apply_async(queue="tests")
    header = _sent_header(ACTOR_HEADER)
    task = SimpleNamespace(request={ACTOR_HEADER: header})

    signals.task_prerun.send(sender=None, task_id="t2", task=task)
    entry = _record("tests.done", system_actor("trainer"))
    signals.task_postrun.send(sender=None, task_id="t2", task=task)

    assert entry.actor_label == "system:trainer"
    assert entry.details["on_behalf_of"] == sender.to_header()


def _record(event: str, actor: Actor) -> AuditEntry:
    return record_event(actor=actor, event=event, subject=Subject("tests.task", "1"))


def test_scheduled_tasks_use_documented_queues(settings):
    used = {
        entry.get("options", {}).get("queue")
        for entry in settings.CELERY_BEAT_SCHEDULE.values()
    }

    assert used <= set(settings.PE_QUEUES)
