"""Telling people: what leaves, and what happens when a channel is down."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.permissions import system_actor
from apps.accounts.roles import Role
from apps.audit.models import AuditEntry
from apps.core.actors import Actor
from apps.safety import services, tasks
from apps.safety.channels import channels, reaching_people
from apps.safety.channels.base import ChannelFailed, Notice
from apps.safety.channels.mail import MailChannel
from apps.safety.channels.webhook import WebhookChannel, is_safe_url, secret_bytes
from apps.safety.models import Escalation, NotificationAttempt
from tests.safety.receivers import Receiver, receiving

Opened = Callable[..., Escalation]
SECRET = "a webhook secret of the tests 0123456789"


@pytest.fixture
def pager(settings: Any) -> Iterator[Receiver]:
    with receiving(Receiver()) as receiver:
        settings.PE_ESCALATION_WEBHOOK_URL = receiver.url
        settings.PE_ESCALATION_WEBHOOK_SECRET = SECRET
        yield receiver


@pytest.fixture
def rota(person: Callable[..., User], settings: Any) -> list[User]:
    """Ann is on call, Bea is next, Cal answers too."""
    settings.PE_MAIL_IS_CONFIGURED = True
    settings.PE_ON_CALL = ["ann", "bea"]
    return [
        person(name, Role.RESPONDER, email=f"{name}@example.org")
        for name in ("ann", "bea", "cal")
    ]


def told() -> list[str]:
    return [address for message in mail.outbox for address in message.to]


def log_of(row: Escalation, channel: str) -> list[tuple[int, str, str]]:
    rows = row.attempts.filter(channel=channel).order_by("rung", "attempt", "id")
    return list(rows.values_list("attempt", "outcome", "status"))


def time_passes() -> None:
    """Whatever waits is due now, and every lease has ended."""
    past = timezone.now() - timedelta(seconds=1)
    waiting = NotificationAttempt.objects.filter(outcome__in=["pending", "sending"])
    waiting.update(due_at=past)
    waiting.filter(outcome="sending").update(claimed_until=past)


def test_a_page_is_signed_and_holds_an_identifier_and_a_link(
    opened: Opened, pager: Receiver, settings: Any
) -> None:
    settings.PE_PUBLIC_URL = "https://desk.example.org"
    row = opened()

    tasks.notify(str(row.pk), 0)

    [(headers, body)] = pager.got
    data = json.loads(body)["data"]
    assert data["escalation_id"] == str(row.pk)
    assert data["url"] == (
        f"https://desk.example.org/admin/safety/escalation/{row.pk}/change/"
    )
    assert (data["level"], data["locale"]) == ("high", "en-US")
    assert b"words" not in body
    assert row.text_digest.encode() not in body
    message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    signed = f"{message_id}.{timestamp}.".encode() + body
    mac = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(mac).decode()
    assert log_of(row, "webhook") == [(1, "sent", "202")]


def test_mail_goes_to_who_is_on_call_and_quotes_nobody(
    opened: Opened, rota: list[User]
) -> None:
    row = opened()

    tasks.notify(str(row.pk), 0)

    assert told() == ["ann@example.org"]
    assert str(row.pk) in mail.outbox[0].body
    assert "/admin/safety/escalation/" in mail.outbox[0].body
    assert row.attempts.get(channel="email").responder == rota[0]


def test_a_channel_that_is_down_is_recorded_and_tried_again(
    opened: Opened, pager: Receiver
) -> None:
    pager.statuses = [503, 202]
    row = opened()

    tasks.notify(str(row.pk), 0)
    before = log_of(row, "webhook")
    tasks.sweep()
    too_early = log_of(row, "webhook")
    time_passes()
    tasks.sweep()

    assert before == too_early == [(1, "failed", "503"), (2, "pending", "")]
    assert log_of(row, "webhook") == [(1, "failed", "503"), (2, "sent", "202")]
    ids = {headers["webhook-id"] for headers, _ in pager.got}
    assert len(ids) == 1, "a repeated notice keeps its id"
    failed = AuditEntry.objects.get(event="safety.notification_failed")
    assert failed.details["status"] == "503"


def test_waits_between_tries_double(
    opened: Opened, pager: Receiver, settings: Any
) -> None:
    pager.statuses = [500]
    row = opened()
    waits = []

    tasks.notify(str(row.pk), 0)
    for number in (2, 3, 4):
        waiting = row.attempts.get(channel="webhook", attempt=number)
        previous = row.attempts.get(channel="webhook", attempt=number - 1)
        waits.append(round((waiting.due_at - previous.at).total_seconds()))
        time_passes()
        tasks.sweep()

    assert waits == [15, 30, 60]


def test_when_no_try_is_left_the_next_responder_is_told_before_the_time_is_up(
    opened: Opened,
    rota: list[User],
    settings: Any,
) -> None:
    settings.PE_NOTIFICATION_ATTEMPTS = 2
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", closed_port()
    row = opened()
    tasks.notify(str(row.pk), 0)
    time_passes()

    tasks.sweep()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    row.refresh_from_db()
    tasks.notify(str(row.pk), row.rung)

    assert row.rung == 1
    assert log_of(row, "email")[:2] == [
        (1, "failed", "ConnectionRefusedError"),
        (2, "failed", "ConnectionRefusedError"),
    ]
    assert told() == ["bea@example.org"]
    assert row.steps.get(kind="overdue").details["why"] == "no_channel"


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_on_call_then_the_next_then_everyone(opened: Opened, rota: list[User]) -> None:
    row = opened()
    heard = []

    for rung in (0, 1, 2):
        tasks.notify(str(row.pk), rung)
        heard.append(sorted(told()))
        mail.outbox.clear()
        late = timezone.now() - timedelta(hours=1)
        Escalation.objects.filter(pk=row.pk).update(opened_at=late, due_at=late)
        tasks.sweep()

    assert heard == [
        ["ann@example.org"],
        ["bea@example.org"],
        ["ann@example.org", "bea@example.org", "cal@example.org"],
    ]


def test_a_rota_of_people_who_left_tells_everyone(
    opened: Opened, rota: list[User], settings: Any
) -> None:
    User.objects.filter(username="ann").update(is_active=False)
    settings.PE_ON_CALL = ["ann", "nobody"]
    row = opened()

    tasks.notify(str(row.pk), 0)

    assert sorted(told()) == ["bea@example.org", "cal@example.org"]


def test_a_lost_message_only_delays(opened: Opened, rota: list[User]) -> None:
    row = opened()
    tasks.sweep()
    at_once = told()
    row.steps.update(at=timezone.now() - timedelta(minutes=1))

    tasks.sweep()
    tasks.sweep()

    assert at_once == []
    assert told() == ["ann@example.org"]


def test_a_worker_killed_while_sending_is_followed_by_another_try(
    opened: Opened, pager: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = opened()

    def killed(*_: object) -> str:
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(WebhookChannel, "send", killed)
        tasks.notify(str(row.pk), 0)
    left = log_of(row, "webhook")
    for _ in range(2):
        time_passes()
        tasks.sweep()

    assert left == [(1, "sending", "")]
    assert log_of(row, "webhook") == [(1, "failed", "lost"), (2, "sent", "202")]


def test_a_case_that_was_taken_is_told_to_nobody_else(
    opened: Opened, rota: list[User], pager: Receiver, responder: Actor
) -> None:
    pager.statuses = [500]
    row = opened()
    tasks.notify(str(row.pk), 0)
    services.acknowledge_escalation(actor=responder, escalation_id=str(row.pk))
    time_passes()

    tasks.sweep()

    assert len(pager.got) == 1
    assert log_of(row, "webhook")[-1] == (2, "cancelled", "")


def test_handing_over_an_open_case_tells_that_person(
    opened: Opened, rota: list[User], responder: Actor
) -> None:
    row = opened()
    tasks.notify(str(row.pk), 0)
    services.reassign_escalation(
        actor=responder, escalation_id=str(row.pk), responder_id=str(rota[2].pk)
    )

    tasks.sweep()

    assert told() == ["ann@example.org", "cal@example.org"]


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("https://pager.example.org/x", True),
        ("http://127.0.0.1:9/x", True),
        ("http://[::1]/x", True),
        ("http://localhost/x", True),
        ("http://pager.example.org/x", False),
        ("http://127.0.0.1.example.org/x", False),
        ("http://localhost@pager.example.org/", False),
        ("ftp://127.0.0.1/x", False),
        ("https://", False),
        ("not a url", False),
        ("http://[oops", False),
        ("", False),
    ],
)
def test_plain_http_leads_nowhere_but_to_this_machine(url: str, is_safe: bool) -> None:
    assert is_safe_url(url) is is_safe


def test_a_redirect_is_a_failure_and_is_not_followed(
    opened: Opened, pager: Receiver
) -> None:
    pager.statuses = [302]
    row = opened()

    tasks.notify(str(row.pk), 0)

    assert log_of(row, "webhook")[0] == (1, "failed", "302")
    assert len(pager.got) == 1


def test_a_page_is_never_sent_unsigned(
    opened: Opened, pager: Receiver, settings: Any
) -> None:
    settings.PE_ESCALATION_WEBHOOK_SECRET = ""
    row = opened()

    tasks.notify(str(row.pk), 0)

    assert pager.got == []
    assert log_of(row, "webhook")[0] == (1, "failed", "no_secret")


def test_secrets_of_standard_webhooks_are_decoded() -> None:
    assert secret_bytes("whsec_aGVsbG8=") == b"hello"
    with pytest.raises(ChannelFailed):
        secret_bytes("whsec_***")


def test_an_address_that_is_none_fails_and_does_not_stop_the_others(
    opened: Opened, rota: list[User]
) -> None:
    User.objects.filter(username="ann").update(email="ann@example.org\nBcc: x@y.org")
    row = opened()

    tasks.notify(str(row.pk), 0)

    assert log_of(row, "email")[0][:2] == (1, "failed")
    assert log_of(row, "log") == [(1, "sent", "logged")]
    assert told() == []


def test_a_notice_has_no_place_for_words() -> None:
    assert set(Notice.__slots__) == {
        "id", "escalation_id", "level", "locale", "audience", "opened_at", "due_at",
        "url",
    }  # fmt: skip


def test_without_settings_only_the_log_is_left(db: None) -> None:
    assert list(channels()) == ["log"]
    assert reaching_people() == frozenset()
    assert not MailChannel().is_configured()


@pytest.mark.parametrize(
    "facts",
    [
        {"outcome": "sending"},
        {"outcome": "sent", "at": None},
    ],
    ids=["sending without a lease", "sent at no time"],
)
def test_the_database_refuses(opened: Opened, facts: dict[str, Any]) -> None:
    row = opened()
    attempt = NotificationAttempt.objects.create(
        escalation=row, rung=0, channel="log", due_at=timezone.now()
    )

    with pytest.raises(IntegrityError), transaction.atomic():
        NotificationAttempt.objects.filter(pk=attempt.pk).update(**facts)


def test_a_try_is_one_row(opened: Opened, rota: list[User]) -> None:
    row = opened()
    for responder in (None, rota[0]):
        again = {
            "escalation": row, "rung": 0, "channel": "x", "responder": responder,
            "due_at": timezone.now(),
        }  # fmt: skip
        NotificationAttempt.objects.create(**again)

        with pytest.raises(IntegrityError), transaction.atomic():
            NotificationAttempt.objects.create(**again)


def test_nobody_but_the_sweep_sends(responder: Actor) -> None:
    from apps.core.errors import NotPermitted

    with pytest.raises(NotPermitted):
        services.deliver_notifications(actor=responder)
    assert services.deliver_notifications(actor=system_actor("escalation")) == 0
