"""manage.py smoke against the whole platform, over WSGI in this process."""

from __future__ import annotations

import json

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections

from apps.audit.verification import verify_and_record
from apps.safety import assembly
from apps.safety.models import Escalation
from pe_platform import gauges, health, smoke
from pe_platform.management.commands import smoke as command
from pe_platform.smoke import Smoke, Target

TOKEN = "metrics-token-of-this-test"


@pytest.fixture(autouse=True)
def _forget_readings(settings):
    settings.PE_METRICS_TOKEN = TOKEN
    health._readiness_at.cache_clear()
    gauges._refresh_at.cache_clear()
    # As Django's own test client does: the test's transaction outlives its requests.
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)
    health._readiness_at.cache_clear()
    gauges._refresh_at.cache_clear()


@pytest.fixture
def run(issue):
    def with_target(**more):
        key = more.pop("key", None) or issue()[1]
        given = {"url": "http://testserver", "model": "support-replies", **more}
        target = Target(key=key, metrics_token=TOKEN, **given)
        transport = httpx.WSGITransport(app=get_wsgi_application())
        return {one.name: one for one in Smoke(target, transport).run()}

    return with_target


def test_a_sound_instance_passes_every_check(run, served):
    found = run(model=served.model.name)

    assert {name: one.found for name, one in found.items() if not one.passed} == {}
    assert list(found) == [
        "alive", "ready", "refuses_without_key", "limits", "six_gates_on_an_answer",
        "privacy_gate", "crisis_gate", "output_gates_of_this_image", "metrics", "chain",
    ]  # fmt: skip
    assert Escalation.objects.count() == 1


def test_without_crisis_no_case_is_opened(run, served):
    found = run(model=served.model.name, with_crisis=False)

    assert all(one.passed for one in found.values())
    assert "crisis_gate" not in found
    assert Escalation.objects.count() == 0


def test_a_wrong_key_fails_what_needs_one_and_nothing_else(run, served):
    found = run(model=served.model.name, key="pe_live_wrong_key")

    failed = {name for name, one in found.items() if not one.passed}
    assert failed == {
        "limits", "six_gates_on_an_answer", "privacy_gate", "crisis_gate"
    }  # fmt: skip
    assert "401" in found["limits"].found


def test_a_model_that_is_not_served_is_named_by_its_code(run, policy):
    found = run(model="no-such-model")

    assert "unknown_model" in found["six_gates_on_an_answer"].found


def test_a_gate_that_lets_its_example_out_fails(monkeypatch):
    monkeypatch.setitem(smoke.CAUGHT, "bias", smoke.ORDINARY)

    with pytest.raises(smoke.Failed, match="bias: allow"):
        smoke.output_gates_catch()


def test_gates_that_are_gone_are_not_ready(run, served, settings):
    assembly.gates.cache_clear()
    settings.PE_GATES = settings.PE_GATES[:-1]

    found = run(model=served.model.name)

    assembly.gates.cache_clear()
    assert found["ready"].found == "not ready: gates"


def test_the_command_says_no_with_exit_1_and_json(capsys, monkeypatch, db):
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    closed = httpx.MockTransport(refuse)
    monkeypatch.setattr(command, "Smoke", lambda target: Smoke(target, closed))

    with pytest.raises(SystemExit) as stopped:
        call_command(
            "smoke", "--url", "http://127.0.0.1:9", "--key", "k", "--json",
            "--without-crisis",
        )  # fmt: skip

    body = json.loads(capsys.readouterr().out)
    assert stopped.value.code == 1
    assert body["passed"] is False
    assert body["checks"][0] | {"ms": 0} == {
        "name": "alive", "passed": False, "found": "refused", "ms": 0
    }  # fmt: skip


def test_the_command_asks_for_a_key(settings):
    settings.PE_SMOKE_KEY = ""

    with pytest.raises(CommandError, match="PE_SMOKE_KEY"):
        call_command("smoke", "--url", "http://127.0.0.1:9")


def test_a_broken_chain_fails_the_chain_check(run, served, monkeypatch):
    from apps.audit import verification
    from apps.audit.errors import ChainBroken
    from apps.audit.tasks import MAINTENANCE

    def broken():
        raise ChainBroken("web#3 was changed")

    with monkeypatch.context() as patched:
        patched.setattr(verification, "verify_chains", broken)
        with pytest.raises(ChainBroken):
            verify_and_record(actor=MAINTENANCE)

    found = run(model=served.model.name, with_crisis=False)

    assert found["chain"].found == "pe_audit_broken: not 0"
