"""Telling people of a case, and trying again: planned, claimed and settled in the
database, so that a lost message or a killed worker only delays.

A try is claimed before it is sent and settled after. One that was claimed and never
settled counts as lost when its lease ends, and the next try follows: a notice may come
twice, under one id, rather than not at all.
"""

from __future__ import annotations

import time
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.permissions import require
from apps.core.actors import Actor
from apps.safety.channels import channels, reaching_people
from apps.safety.channels.base import Channel, ChannelFailed, Notice
from apps.safety.models import Escalation, EscalationStep, NotificationAttempt
from apps.safety.responders import told_on
from apps.safety.selectors import due_attempts, lost_attempts
from apps.safety.services.casework import (
    audience,
    is_last_rung,
    locked_case,
    note_step,
    raise_rung,
    record_case,
)

Outcome = NotificationAttempt.Outcome
# Longer than any channel's own limit; a worker killed while sending is past it.
LEASE = timedelta(seconds=60)
# One round of tries; what is left waits for the next sweep.
ROUND_S = 45.0
_ROUND_LIMIT = 200


def notify_escalation(*, actor: Actor, escalation_id: str, rung: int) -> bool:
    """Tell the rung's audience, by identifier only; False when it was told before.

    The plan commits first, one row for each channel and address; sending follows and
    may fail: the sweep tries again.
    """
    require(actor, "safety.sweep_escalation")
    try:
        with transaction.atomic():
            row = locked_case(escalation_id)
            if row.state != Escalation.State.OPEN or row.rung != rung:
                return False
            note_step(actor, row, EscalationStep.Kind.NOTIFIED, audience=audience(rung))
            record_case(actor, "safety.escalation_notified", row, rung=rung)
            _plan(row)
    except IntegrityError:
        return False
    deliver_notifications(actor=actor, escalation_id=escalation_id)
    return True


def plan_for_responder(row: Escalation, responder: User) -> None:
    """Also tell one person, to whom an open case was handed."""
    if row.state == Escalation.State.OPEN:
        for channel in channels().values():
            if channel.to_each:
                _plan_each(row, channel, [responder])


def _plan(row: Escalation) -> None:
    people = told_on(row.rung, row.assigned_to)
    for channel in channels().values():
        if channel.to_each:
            _plan_each(row, channel, people)
        else:
            NotificationAttempt.objects.create(
                escalation=row, rung=row.rung, channel=channel.name,
                due_at=timezone.now(),
            )  # fmt: skip


def _plan_each(row: Escalation, channel: Channel, people: list[User]) -> None:
    known = set(
        row.attempts.filter(rung=row.rung, channel=channel.name).values_list(
            "responder_id", flat=True
        )
    )
    NotificationAttempt.objects.bulk_create(
        NotificationAttempt(
            escalation=row, rung=row.rung, channel=channel.name,
            responder=person, due_at=timezone.now(),
        )
        for person in people
        if person.email and person.pk not in known
    )  # fmt: skip


def deliver_notifications(*, actor: Actor, escalation_id: str | None = None) -> int:
    """Send what is due, of one case or of all; how many tries were made.

    Safe to run in several processes: each try is claimed by a conditional update.
    """
    require(actor, "safety.sweep_escalation")
    available, ends = channels(), time.monotonic() + ROUND_S
    for lost in lost_attempts(timezone.now())[:_ROUND_LIMIT]:
        _settle(actor, lost, Outcome.FAILED, "lost")
    tried = 0
    for attempt in due_attempts(timezone.now(), escalation_id)[:_ROUND_LIMIT]:
        if time.monotonic() > ends:
            break
        tried += _try(actor, attempt, available.get(attempt.channel))
    return tried


def _try(actor: Actor, attempt: NotificationAttempt, channel: Channel | None) -> bool:
    if not _claim(attempt):
        return False
    row = Escalation.objects.get(pk=attempt.escalation_id)
    if row.state != Escalation.State.OPEN or row.rung != attempt.rung:
        _settle(actor, attempt, Outcome.CANCELLED, "")
        return False
    try:
        if channel is None:
            raise ChannelFailed("not_configured")
        status = channel.send(_notice(row), _address(attempt))
    except ChannelFailed as error:
        _settle(actor, attempt, Outcome.FAILED, error.status_text)
    else:
        _settle(actor, attempt, Outcome.SENT, status[:60])
    return True


def _claim(attempt: NotificationAttempt) -> bool:
    now = timezone.now()
    claimed = NotificationAttempt.objects.filter(
        pk=attempt.pk, outcome=Outcome.PENDING
    ).update(outcome=Outcome.SENDING, at=now, claimed_until=now + LEASE)
    return claimed == 1


def _settle(
    actor: Actor, attempt: NotificationAttempt, outcome: Outcome, status: str
) -> None:
    """Write what came of a claimed try; after a failure plan the next one."""
    with transaction.atomic():
        settled = NotificationAttempt.objects.filter(
            pk=attempt.pk, outcome=Outcome.SENDING
        ).update(outcome=outcome, status=status)
        if settled != 1 or outcome == Outcome.CANCELLED:
            return
        row = locked_case(str(attempt.escalation_id))
        record_case(
            actor,
            f"safety.notification_{outcome.value}",
            row,
            channel=attempt.channel,
            attempt=attempt.attempt,
            rung=attempt.rung,
            status=status,
        )
        if outcome == Outcome.FAILED:
            _after_failure(actor, row, attempt)


def _after_failure(actor: Actor, row: Escalation, attempt: NotificationAttempt) -> None:
    if attempt.attempt < settings.PE_NOTIFICATION_ATTEMPTS:
        wait_s = settings.PE_NOTIFICATION_BACKOFF_S * 2 ** (attempt.attempt - 1)
        NotificationAttempt.objects.create(
            escalation=row, rung=attempt.rung, channel=attempt.channel,
            responder_id=attempt.responder_id, attempt=attempt.attempt + 1,
            due_at=timezone.now() + timedelta(seconds=wait_s),
        )  # fmt: skip
    elif _nobody_can_be_told(row, attempt.rung):
        raise_rung(actor, row, why="no_channel")


def _nobody_can_be_told(row: Escalation, rung: int) -> bool:
    """Whether every way to reach a person on this rung has been tried in vain."""
    if row.state != Escalation.State.OPEN or row.rung != rung or is_last_rung(rung):
        return False
    hopeful = [Outcome.PENDING, Outcome.SENDING, Outcome.SENT]
    return not row.attempts.filter(
        rung=rung, channel__in=reaching_people(), outcome__in=hopeful
    ).exists()


def _notice(row: Escalation) -> Notice:
    page = reverse("admin:safety_escalation_change", args=[row.pk])
    return Notice(
        id=f"case-{row.pk.hex}-{row.rung}",
        escalation_id=str(row.pk),
        level=row.level,
        locale=row.locale,
        audience=audience(row.rung),
        opened_at=row.opened_at,
        due_at=row.due_at,
        url=f"{settings.PE_PUBLIC_URL}{page}",
    )


def _address(attempt: NotificationAttempt) -> str:
    return attempt.responder.email if attempt.responder else ""
