"""Probes: what they check, and what they tell to whom."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client

from apps.accounts.permissions import system_actor
from apps.audit.checkpoints import write_checkpoint
from apps.audit.models import AuditChain
from apps.inference import warming
from pe_platform import health

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forget_last_answer():
    health._readiness_at.cache_clear()
    yield
    health._readiness_at.cache_clear()


def test_livez_answers_anyone(client: Client):
    response = client.get("/livez")

    assert response.status_code == 200
    assert response.json() == {"status": "alive"}


def test_startupz_says_when_the_process_has_loaded_what_it_serves(
    client: Client, monkeypatch
):
    monkeypatch.setattr(warming, "_warmed_in", [])

    before = client.get("/startupz")
    warming.warm_serving()
    after = client.get("/startupz")

    assert (before.status_code, before.json()) == (503, {"status": "starting"})
    assert (after.status_code, after.json()) == (200, {"status": "started"})


def test_readyz_names_each_check(client: Client):
    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json()["checks"] == {
        "database": True,
        "broker": True,
        "audit_chain": True,
        "gates": True,
    }


def test_a_head_that_names_no_entry_is_not_ready(client: Client):
    write_checkpoint(actor=system_actor("maintenance"))
    AuditChain.objects.update(sequence=99)

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["checks"]["audit_chain"] is False


def test_gates_that_cannot_be_built_are_not_ready(client: Client, settings):
    from apps.safety import assembly

    assembly.gates.cache_clear()
    settings.PE_GATES = settings.PE_GATES[:-1]

    response = client.get("/readyz")

    assembly.gates.cache_clear()
    assert response.status_code == 503
    assert response.json()["checks"]["gates"] is False


def test_a_missing_broker_folder_is_not_ready(client: Client, settings, tmp_path):
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(tmp_path / "gone")
    }

    assert client.get("/readyz").json()["checks"]["broker"] is False


def test_a_broker_that_refuses_is_not_ready(client: Client, settings, monkeypatch):
    monkeypatch.setenv("CELERY_BROKER_WRITE_URL", "amqp://guest@127.0.0.1:9//")

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["checks"]["broker"] is False


def test_one_answer_serves_many_probes(client: Client, django_assert_num_queries):
    client.get("/readyz")
    health._readiness_at.cache_clear()
    health._readiness_at(int(health.time.monotonic() / health.READINESS_TTL_S))

    with django_assert_num_queries(0):
        health._readiness_at(int(health.time.monotonic() / health.READINESS_TTL_S))

    assert connection.vendor in {"sqlite", "postgresql"}


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Bearer "])
def test_metrics_need_their_token(client: Client, settings, header):
    settings.PE_METRICS_TOKEN = "a-metrics-token"

    response = client.get("/metrics", headers={"Authorization": header})

    assert response.status_code == 401


def test_metrics_stay_closed_when_no_token_is_set(client: Client, settings):
    settings.PE_METRICS_TOKEN = ""

    assert client.get("/metrics").status_code == 401


def test_metrics_are_prometheus_text(client: Client, settings):
    settings.PE_METRICS_TOKEN = "a-metrics-token"

    response = client.get(
        "/metrics", headers={"Authorization": "Bearer a-metrics-token"}
    )

    assert response.status_code == 200
    assert b"# TYPE" in response.content
