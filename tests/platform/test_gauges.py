"""Gauges of database and broker, and what a worker serves."""

from __future__ import annotations

import threading
import urllib.request
from datetime import timedelta

import pytest
from celery import current_app, shared_task
from django.db import DatabaseError
from django.utils import timezone
from prometheus_client import REGISTRY

from apps.audit import metrics as audit_metrics
from apps.audit import verification
from apps.audit.errors import ChainBroken
from apps.audit.models import AuditEntry
from apps.audit.tasks import MAINTENANCE, verify_chains
from apps.core.actors import Actor, ActorKind
from apps.core.errors import NotPermitted
from apps.safety import metrics as safety_metrics
from apps.safety.models import Escalation
from pe_platform import gauges, task_metrics

pytestmark = pytest.mark.django_db
TOKEN = "a-metrics-token"


@pytest.fixture(autouse=True)
def _read_anew(settings):
    settings.PE_METRICS_TOKEN = TOKEN
    gauges._refresh_at.cache_clear()
    yield
    gauges._refresh_at.cache_clear()


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def case(**fields) -> Escalation:
    now = timezone.now()
    given = {
        "level": "high",
        "locale": "en-GB",
        "text_digest": "d",
        "policy_digest": "p",
        "opened_at": now - timedelta(minutes=30),
        "due_at": now - timedelta(minutes=20),
    }
    import uuid

    return Escalation.objects.create(correlation_id=uuid.uuid4(), **given | fields)


def test_waiting_messages_are_counted_by_queue():
    with current_app.connection_for_write() as broker:
        # Other tests of this process may have left messages.
        with broker.SimpleQueue("training") as other:
            other.clear()
        queue = broker.SimpleQueue("batch")
        queue.clear()
        queue.put({"n": 1})
        queue.put({"n": 2})

        gauges.refresh()

        queue.clear()
        queue.close()
    assert value("pe_queue_messages", queue="batch") == 2
    assert value("pe_queue_messages", queue="training") == 0
    assert value("pe_broker_up") == 1


def test_a_reading_serves_for_some_seconds(django_assert_num_queries):
    gauges.refresh()

    with django_assert_num_queries(0):
        gauges._refresh_at(int(gauges.time.monotonic() / gauges.READING_TTL_S))


def test_a_database_that_cannot_be_read_is_told_and_costs_no_answer(monkeypatch):
    def gone() -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(gauges.audit_metrics, "refresh", gone)

    gauges.refresh()

    assert value("pe_database_up") == 0
    assert b"pe_database_up 0.0" in gauges.exposition()


def test_a_broker_that_refuses_is_told_and_costs_no_answer(monkeypatch):
    monkeypatch.setenv("CELERY_BROKER_READ_URL", "amqp://guest@127.0.0.1:9//")

    gauges.refresh()

    assert value("pe_broker_up") == 0


def test_a_verified_log_says_when():
    before = timezone.now().timestamp()

    verify_chains()
    audit_metrics.refresh()

    assert value("pe_audit_verified_timestamp_seconds") >= before
    assert value("pe_audit_broken") == 0
    assert AuditEntry.objects.get(event=verification.VERIFIED).details["entries"] == 0


def test_a_broken_log_is_recorded_told_and_raised(monkeypatch):
    def broken():
        raise ChainBroken("web#3 was changed")

    monkeypatch.setattr(verification, "verify_chains", broken)

    with pytest.raises(ChainBroken):
        verify_chains()
    audit_metrics.refresh()

    assert AuditEntry.objects.filter(event=verification.BROKEN).exists()
    assert value("pe_audit_broken") == 1


def test_verifying_needs_its_permission():
    nobody = Actor(ActorKind.SYSTEM, "x", "system:x", permissions=frozenset())

    with pytest.raises(NotPermitted):
        verification.verify_and_record(actor=nobody)

    assert MAINTENANCE.permissions >= {verification.VERIFY_PERMISSION}


def test_a_log_never_verified_counts_from_its_first_entry():
    verification._note(MAINTENANCE, "audit.something", {})
    first = AuditEntry.objects.get()

    audit_metrics.refresh()

    found = value("pe_audit_verified_timestamp_seconds")
    assert found == pytest.approx(first.recorded_at.timestamp())


def test_open_cases_are_counted_by_level_with_the_oldest_age():
    case()
    case(level="imminent", opened_at=timezone.now() - timedelta(hours=2))

    safety_metrics.refresh_gauges()

    assert value("pe_escalations_open", level="high") == 1
    assert value("pe_escalations_open", level="imminent") == 1
    assert value("pe_escalations_open", level="low") == 0
    assert value("pe_escalations_oldest_seconds") == pytest.approx(7200, abs=30)


def test_a_case_that_went_to_the_next_responder_was_late():
    later = timezone.now() + timedelta(minutes=5)
    case(rung=1, due_at=later)
    case()
    case(due_at=later)

    safety_metrics.refresh_gauges()

    assert value("pe_escalations_day", in_time="false") == 2
    assert value("pe_escalations_day", in_time="true") == 0


@shared_task(name="tests.counted")
def counted(fail: bool) -> None:
    if fail:
        raise ValueError("no")


@pytest.mark.parametrize(("fail", "outcome"), [(False, "success"), (True, "failure")])
def test_a_task_counts_its_outcome_and_time(fail, outcome):
    labels = {"task": "tests.counted", "queue": "other"}
    before = value("pe_tasks_total", outcome=outcome, **labels) or 0
    timed = value("pe_task_seconds_count", **labels) or 0

    counted.apply((fail,))

    assert value("pe_tasks_total", outcome=outcome, **labels) == before + 1
    assert value("pe_task_seconds_count", **labels) == timed + 1


def test_a_task_sent_now_says_when_and_one_for_later_does_not():
    now, later = {}, {"eta": "2030-01-01T00:00:00Z"}

    task_metrics._stamp(headers=now)
    task_metrics._stamp(headers=later)

    assert now[task_metrics.SENT_AT_HEADER] == pytest.approx(gauges.time.time(), abs=5)
    assert task_metrics.SENT_AT_HEADER not in later


@pytest.mark.parametrize(
    ("path", "header", "status"),
    [
        ("/livez", "", "200 OK"),
        ("/metrics", f"Bearer {TOKEN}", "200 OK"),
        ("/metrics", "Bearer wrong", "401 Unauthorized"),
        ("/metrics", "", "401 Unauthorized"),
        ("/admin/", f"Bearer {TOKEN}", "404 Not Found"),
    ],
)
def test_a_worker_serves_metrics_with_the_token_alone(path, header, status):
    said: list[str] = []
    environ = {"PATH_INFO": path, "HTTP_AUTHORIZATION": header}

    body = task_metrics.application(environ, lambda line, _: said.append(line))

    assert said == [status]
    assert (b"pe_tasks_total" in b"".join(body)) is (
        path == "/metrics" and status == "200 OK"
    )


@pytest.mark.enable_socket
def test_a_worker_listens_where_it_is_told(settings):
    from benchmarks.chaos_state import free_port

    settings.PE_WORKER_METRICS_BIND = f"127.0.0.1:{free_port()}"

    task_metrics.serve()

    with urllib.request.urlopen(
        f"http://{settings.PE_WORKER_METRICS_BIND}/livez", timeout=5
    ) as response:
        assert response.status == 200
    assert threading.active_count() > 1
