"""Access, export and restriction: what a person is given, or asks to be left alone."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from apps.accounts.permissions import require
from apps.compliance.models import SubjectRequest
from apps.compliance.retention import holdings, retention_table
from apps.compliance.services.desk import (
    close_request,
    record_request,
    verified_request,
)
from apps.core.actors import Actor
from apps.core.keys.subjects import set_restricted

Kind = SubjectRequest.Kind


def export_subject(*, actor: Actor, request_id: str) -> dict[str, object]:
    """Everything kept of the person, opened, as JSON values; closes the request.

    The entry that says who exported commits before anything is opened. An access
    request also gets what each thing is kept for and how long. Raises NotPermitted
    without ``compliance.fulfil_subjectrequest``, RequestState for another kind or an
    unchecked identity, IntegrityFailure or KeysUnavailable when something cannot be
    opened: a copy that silently lacks parts is none.
    """
    require(actor, "compliance.fulfil_subjectrequest")
    with transaction.atomic():
        request = verified_request(request_id, Kind.ACCESS, Kind.EXPORT)
        record_request(actor, "compliance.subject_opened", request)
    kept = {
        name: holding.export(request.subject) for name, holding in holdings().items()
    }
    content: dict[str, object] = {
        "request": str(request.pk),
        "made_at": timezone.now().isoformat(),
        "kept": kept,
    }
    if request.kind == Kind.ACCESS:
        content["processing"] = [
            {
                "what": one.name,
                "holds": one.holds,
                "for": one.why,
                "how_long": one.period,
                "on_erasure": one.erasure,
            }
            for one in retention_table()
        ]
    with transaction.atomic():
        request = verified_request(request_id, Kind.ACCESS, Kind.EXPORT)
        close_request(request, actor)
        counts = {name: len(rows) for name, rows in kept.items()}
        record_request(actor, "compliance.subject_exported", request, rows=counts)
    return content


def restrict_subject(*, actor: Actor, request_id: str) -> SubjectRequest:
    """Keep the person's data but do not use it, or lift that, as the request asks.

    Restricted words are not replayed or explained, no new ones are kept for replay, and
    the sweeps leave what is there. A responder can still read an open crisis case: it
    is about somebody's life.
    """
    require(actor, "compliance.fulfil_subjectrequest")
    with transaction.atomic():
        request = verified_request(request_id, Kind.RESTRICTION, Kind.LIFTING)
        close_request(request, actor)
        record_request(actor, f"compliance.subject_{request.kind}", request)
        # Last: a file cannot be rolled back.
        set_restricted(request.subject, request.kind == Kind.RESTRICTION)
    return request
