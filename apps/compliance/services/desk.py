"""The desk of data subjects: receiving a request, knowing the person, refusing, time.

What a person is called is turned into a digest at once and stored nowhere.
"""

from __future__ import annotations

import calendar
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import ApiKey
from apps.accounts.permissions import acting_user, require
from apps.audit.services import record_event
from apps.compliance.errors import RequestState
from apps.compliance.models import SubjectRequest
from apps.core.actors import Actor, Subject
from apps.core.errors import InvalidInput, NotFound
from apps.core.keys.subjects import subject_name
from apps.safety.services import text_digest

LABEL = "compliance.subjectrequest"
# GDPR Article 12(3): one month, and two more where it is complex or there are many.
MONTHS, MONTHS_EXTENDED = 1, 3
State, Kind = SubjectRequest.State, SubjectRequest.Kind


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for. ``program`` is the prefix of any key of the program;
    ``participant`` what that program calls the person (``participant_ref``)."""

    kind: str
    program: str
    participant: str
    received_at: datetime
    reference: str = ""


@transaction.atomic
def open_subject_request(*, actor: Actor, asked: Asked) -> SubjectRequest:
    """The request, due one month after it was received.

    Raises InvalidInput for a kind that is none or a day to come, NotFound for a program
    that never had a key. Whether anything is kept of the person is not told: somebody
    who guesses names must learn nothing before their identity was checked.
    """
    require(actor, "compliance.add_subjectrequest")
    if asked.kind not in Kind.values:
        raise InvalidInput(f"A request is one of {', '.join(Kind.values)}.")
    if asked.received_at > timezone.now():
        raise InvalidInput("A request cannot have been received in the future.")
    request = SubjectRequest.objects.create(
        kind=asked.kind,
        subject=named_subject(asked.program, asked.participant),
        reference=asked.reference.strip()[:80],
        received_at=asked.received_at,
        due_at=add_months(asked.received_at, MONTHS),
        opened_by=acting_user(actor),
    )
    record_request(actor, "compliance.subject_request_opened", request)
    return request


def named_subject(program: str, participant: str) -> str:
    """The digest that names a participant of the program that a key belongs to."""
    if not participant.strip():
        raise InvalidInput("A participant is named as the program names them.")
    key = ApiKey.objects.filter(prefix=program.strip()).first()
    if key is None:
        raise NotFound("No API key has this prefix: see API keys in the admin.")
    return subject_name(key.family_id, text_digest(participant.strip()))


@transaction.atomic
def verify_identity(*, actor: Actor, request_id: str, how: str) -> SubjectRequest:
    """RECEIVED to VERIFIED: what was looked at to know that it is the person."""
    require(actor, "compliance.verify_subjectrequest")
    request = locked_request(request_id)
    move_request(
        request,
        State.RECEIVED,
        state=State.VERIFIED,
        verified_by=acting_user(actor),
        verified_at=timezone.now(),
        verified_how=_said(how, "how the person was known"),
    )
    record_request(actor, "compliance.subject_identity_checked", request)
    return request


@transaction.atomic
def extend_request(*, actor: Actor, request_id: str, because: str) -> SubjectRequest:
    """Two more months, once, with the reason that the person is told."""
    require(actor, "compliance.fulfil_subjectrequest")
    request = locked_request(request_id)
    if request.is_closed or request.extended_because:
        raise RequestState("Only an open request can be extended, and once.")
    if request.is_overdue(timezone.now()):
        raise RequestState("This request is overdue: it can no longer be extended.")
    SubjectRequest.objects.filter(pk=request.pk).update(
        due_at=add_months(request.received_at, MONTHS_EXTENDED),
        extended_because=_said(because, "the reason"),
    )
    request.refresh_from_db()
    record_request(actor, "compliance.subject_request_extended", request)
    return request


@transaction.atomic
def refuse_request(*, actor: Actor, request_id: str, because: str) -> SubjectRequest:
    """Close a request without doing it, with the reason that the person is told."""
    require(actor, "compliance.fulfil_subjectrequest")
    request = locked_request(request_id)
    if request.is_closed:
        raise RequestState("This request is closed.")
    move_request(
        request,
        State(request.state),
        state=State.REFUSED,
        closed_by=acting_user(actor),
        closed_at=timezone.now(),
        refused_because=_said(because, "the reason"),
    )
    record_request(actor, "compliance.subject_request_refused", request)
    return request


def verified_request(request_id: str, *kinds: str) -> SubjectRequest:
    """A locked request of one of these kinds whose person is known; RequestState
    otherwise."""
    request = locked_request(request_id)
    if request.kind not in kinds:
        raise RequestState(f"This is a request for {request.kind}.")
    if request.state != State.VERIFIED:
        raise RequestState(
            "The identity of the person has to be checked first, and the request open."
        )
    return request


def close_request(
    request: SubjectRequest, actor: Actor, certificate: dict[str, object] | None = None
) -> None:
    """VERIFIED to DONE; RequestState when somebody else was first."""
    move_request(
        request,
        State.VERIFIED,
        state=State.DONE,
        closed_by=acting_user(actor),
        closed_at=timezone.now(),
        certificate=certificate,
    )


def locked_request(request_id: str) -> SubjectRequest:
    try:
        found = SubjectRequest.objects.select_for_update().get(pk=uuid.UUID(request_id))
    except (SubjectRequest.DoesNotExist, ValueError, ValidationError) as error:
        raise NotFound("There is no such request of a data subject.") from error
    return found


def move_request(
    request: SubjectRequest, before: SubjectRequest.State, **facts: object
) -> None:
    rows = SubjectRequest.objects.filter(pk=request.pk, state=before)
    if rows.update(**facts) != 1:
        raise RequestState(f"This request is no longer {before.label.lower()}.")
    request.refresh_from_db()


def record_request(
    actor: Actor, event: str, request: SubjectRequest, **details: object
) -> None:
    """An entry about a request, in the transaction that is open."""
    record_event(
        actor=actor,
        event=event,
        subject=Subject(LABEL, str(request.pk)),
        details={"kind": request.kind, "due": request.due_at.isoformat(), **details},
    )


def add_months(moment: datetime, months: int) -> datetime:
    """The same day so many months on, or the last day of that month."""
    total = moment.month - 1 + months
    year, month = moment.year + total // 12, total % 12 + 1
    last_day = calendar.monthrange(year, month)[1]
    return moment.replace(year=year, month=month, day=min(moment.day, last_day))


def _said(text: str, what: str) -> str:
    given = " ".join(text.split())
    if not 10 <= len(given) <= 300:
        raise InvalidInput(f"Say {what} in 10 to 300 characters; it is kept.")
    return given
