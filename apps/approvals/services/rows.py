"""Locking, moving and recording one request: steps that every verb shares."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.approvals.contracts import SubjectFacts
from apps.approvals.errors import RequestClosed
from apps.approvals.models import ApprovalRequest
from apps.approvals.subjects import subject_for
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.errors import InvalidInput, NotFound

State = ApprovalRequest.State


def facts_of(request: ApprovalRequest) -> SubjectFacts:
    """The subject as it stands at this moment."""
    return subject_for(request.subject_label).facts(request.subject_id)


def has_changed(request: ApprovalRequest) -> bool:
    return facts_of(request).digest != request.subject_digest


def locked_request(request_id: str) -> ApprovalRequest:
    """The row, locked until the transaction ends; NotFound when there is none."""
    try:
        return ApprovalRequest.objects.select_for_update().get(pk=request_id)
    except (ApprovalRequest.DoesNotExist, ValidationError) as error:
        raise NotFound("There is no such approval request.") from error


def locked_pending(subject_label: str, subject_id: str) -> ApprovalRequest | None:
    return (
        ApprovalRequest.objects.select_for_update()
        .filter(subject_label=subject_label, subject_id=subject_id, state=State.PENDING)
        .first()
    )


def refuse_closed(request: ApprovalRequest) -> None:
    if not request.is_pending:
        raise RequestClosed(
            f"{request.title} is {request.get_state_display().lower()} already."
        )


def move(request: ApprovalRequest, state: State) -> None:
    now = timezone.now()
    moved = ApprovalRequest.objects.filter(pk=request.pk, state=State.PENDING).update(
        state=state, decided_at=now
    )
    if moved != 1:
        raise RequestClosed(f"{request.title} was closed by someone else.")
    request.state, request.decided_at = state, now


def close(request: ApprovalRequest, state: State, actor: Actor) -> None:
    """End a request without approval and tell the app that owns the subject."""
    move(request, state)
    record(actor, f"approvals.{state.value}", request)
    subject_for(request.subject_label).closed(request.subject_id, actor)


def record(
    actor: Actor,
    event: str,
    request: ApprovalRequest,
    details: dict[str, object] | None = None,
) -> None:
    record_event(
        actor=actor,
        event=event,
        subject=Subject(
            request.subject_label, request.subject_id, request.subject_digest
        ),
        details={"request": str(request.pk), **(details or {})},
    )


def statement(text: str, name: str, longest: int) -> str:
    """What a person wrote, stripped; InvalidInput when it cannot be kept."""
    stripped = text.strip()
    if not stripped:
        raise InvalidInput(f"A sign-off needs its meaning and a reason: no {name}.")
    if len(stripped) > longest:
        raise InvalidInput(f"The {name} may have {longest} characters at most.")
    if "\x00" in stripped or (not stripped.isascii() and _has_surrogate(stripped)):
        raise InvalidInput(f"The {name} holds a character that cannot be stored.")
    return stripped


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
