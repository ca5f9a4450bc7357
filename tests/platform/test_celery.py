"""The request id leaves with a message and is current while its task runs."""

from __future__ import annotations

from types import SimpleNamespace

from celery import shared_task, signals

from apps.core.context import current_request_id, request_context
from pe_platform.celery import REQUEST_ID_HEADER, app


@shared_task(name="tests.note_request_id", queue="tests")
def note_request_id() -> None:
    """Exists to be sent."""


def _sent_header() -> str:
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue("tests")
        message = queue.get(timeout=5)
        message.ack()
        queue.close()
    return message.headers[REQUEST_ID_HEADER]


def test_a_message_carries_the_request_id_of_its_sender():
    with request_context("caller-1234"):
        note_request_id.delay()

    assert _sent_header() == "caller-1234"


def test_a_message_sent_outside_a_request_gets_an_id_of_its_own():
    note_request_id.delay()

    assert len(_sent_header()) == 36


def test_the_id_in_the_message_is_current_while_the_task_runs():
    task = SimpleNamespace(request={REQUEST_ID_HEADER: "caller-5678"})

    signals.task_prerun.send(sender=None, task_id="t1", task=task)
    inside = current_request_id()
    signals.task_postrun.send(sender=None, task_id="t1", task=task)

    assert inside == "caller-5678"
    assert current_request_id() == ""


def test_scheduled_tasks_use_documented_queues(settings):
    used = {
        entry.get("options", {}).get("queue")
        for entry in settings.CELERY_BEAT_SCHEDULE.values()
    }

    assert used <= set(settings.PE_QUEUES)
