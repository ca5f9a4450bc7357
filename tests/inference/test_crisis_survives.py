"""A crisis end to end while the platform is failing: the person always gets the safe
reply with contacts, and the case exists as soon as the database does.

The database is the real SQLite file, opened read-only or from a path that is not there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from apps.accounts.keys import forget_cached_keys
from apps.audit.selectors import verify_chains
from apps.safety import tasks
from apps.safety.models import Escalation, EscalationText
from apps.safety.spool import spooled_count

pytestmark = pytest.mark.django_db(transaction=True)

CRISIS = "I have the pills next to me and I am going to kill myself tonight."
BENIGN = "I keep waking at night and worrying about my exam."


@pytest.fixture(autouse=True)
def spool(settings, tmp_path, monkeypatch) -> Path:
    settings.PE_ESCALATION_SPOOL = tmp_path / "escalations"
    # The worker is dead: no message that follows a commit ever arrives.
    monkeypatch.setattr(tasks.notify, "delay", lambda *_: None)
    return settings.PE_ESCALATION_SPOOL


@contextmanager
def connecting_with(**changed: object) -> Iterator[None]:
    """Every connection of this thread is made with other settings for a while."""
    real = {name: connection.settings_dict[name] for name in changed}
    connection.close()
    connection.settings_dict.update(changed)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(real)


def read_only():
    if connection.vendor == "sqlite":
        return connecting_with(NAME=f"file:{connection.settings_dict['NAME']}?mode=ro")
    options = {"options": "-c default_transaction_read_only=on"}
    return connecting_with(OPTIONS={**connection.settings_dict["OPTIONS"], **options})


def gone():
    nowhere = "/nonexistent/folder/platform.sqlite3"
    return connecting_with(
        **{"NAME": nowhere} if connection.vendor == "sqlite" else {"PORT": "1"}
    )


def assert_safe(response, locale_number: str = "116 123") -> None:
    body = response.json()
    assert response.status_code == 503
    assert body["decision"] == "escalate"
    assert body["output"]["source"] == "fixed"
    assert locale_number in body["output"]["text"]
    assert {"Samaritans", "Emergency"} <= {c["name"] for c in body["contacts"]}


def test_the_database_is_truly_read_only(caller, policy):
    with read_only(), pytest.raises(DatabaseError):
        Escalation.objects.update(locale="en")


@pytest.mark.parametrize("headers", [{}, {"Idempotency_Key": "again-1"}])
def test_read_only_database_answers_safely_and_the_case_follows(
    caller, policy, headers, spool
):
    with read_only():
        response = caller.predict(CRISIS, locale="en-GB", headers=headers)
        with suppress(DatabaseError):
            tasks.sweep()
        waiting = spooled_count()
    before = Escalation.objects.count()

    tasks.sweep()

    assert_safe(response)
    assert (before, waiting, spooled_count()) == (0, 1, 0)
    case = Escalation.objects.get()
    assert str(case.correlation_id) == response.json()["id"]
    assert case.level in {"high", "imminent"}
    assert verify_chains()


def test_a_database_that_is_gone_answers_safely_and_the_case_follows(caller, policy):
    caller.predict(BENIGN)  # the key is known to this process

    with gone():
        response = caller.predict(CRISIS, locale="en-GB")
    tasks.sweep()

    assert_safe(response)
    case = Escalation.objects.get()
    assert str(case.correlation_id) == response.json()["id"]


def test_a_key_nobody_knows_here_still_gets_contacts_while_the_database_is_gone(
    caller, policy
):
    forget_cached_keys()

    with gone():
        response = caller.predict(CRISIS, locale="en-GB")

    assert response.status_code == 503
    assert response.json()["output"]["source"] == "fixed"
    assert response.json()["contacts"]


def test_the_next_request_opens_what_waited_without_any_worker(caller, policy):
    with read_only():
        lost = caller.predict(CRISIS, locale="en-GB").json()["id"]

    caller.predict(BENIGN)

    assert str(Escalation.objects.get().correlation_id) == lost
    assert spooled_count() == 0


def test_a_killed_worker_only_delays_until_the_sweep(caller, policy):
    response = caller.predict(CRISIS, locale="en-GB")
    case = Escalation.objects.get()
    case.steps.update(at=timezone.now() - timedelta(minutes=1))

    tasks.sweep()

    assert response.status_code == 200
    assert list(case.steps.values_list("kind", flat=True)) == ["opened", "notified"]
    assert case.attempts.get().outcome == "sent"


def test_with_every_channel_down_the_case_waits_and_climbs(caller, policy, settings):
    settings.PE_MAIL_IS_CONFIGURED = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    settings.PE_ESCALATION_WEBHOOK_URL = "http://127.0.0.1:1/page"
    settings.PE_ESCALATION_WEBHOOK_SECRET = "a secret of the tests 0123456789abcdef"
    settings.PE_NOTIFICATION_ATTEMPTS = 1

    response = caller.predict(CRISIS, locale="en-GB")
    case = Escalation.objects.get()
    for rung in (0, 1, 2):
        tasks.notify(str(case.pk), rung)

    case.refresh_from_db()
    assert response.status_code == 200
    assert "116 123" in response.json()["output"]["text"]
    assert (case.state, case.rung) == ("open", 2)
    failed = case.attempts.filter(outcome="failed").values_list("status", flat=True)
    assert set(failed) == {"ConnectError"}


def test_what_waits_on_disk_is_sealed_and_ours_alone(caller, policy, spool):
    with read_only():
        caller.predict(CRISIS, locale="en-GB")

    [file] = spool.iterdir()
    content = file.read_bytes()
    assert b"pills" not in content
    assert b"en-GB" not in content
    assert file.stat().st_mode & 0o077 == 0
    assert os.stat(spool).st_mode & 0o077 == 0


def test_a_case_that_waited_keeps_its_text_sealed_and_its_clock(caller, policy):
    with read_only():
        caller.predict(CRISIS, locale="en-GB")
    seen_by = timezone.now()

    tasks.sweep()

    case = Escalation.objects.get()
    assert case.opened_at <= seen_by
    assert b"pills" not in bytes(EscalationText.objects.get().sealed)


def test_when_the_disk_is_full_too_the_person_still_gets_the_reply(
    caller, policy, settings, tmp_path
):
    settings.PE_ESCALATION_SPOOL = tmp_path / "a file" / "escalations"
    (tmp_path / "a file").write_text("in the way")

    with read_only():
        response = caller.predict(CRISIS, locale="en-GB")

    assert_safe(response)
