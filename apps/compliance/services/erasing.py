"""Erasing a person: their key first of all, then every row that is theirs.

Destroying the key makes every copy unreadable that was ever sealed under it, backups
included. The audit chain is not touched and still verifies: it holds digests, never
words. What could not be reached is said in the certificate rather than left out.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.accounts.permissions import acting_user, require
from apps.audit.services import record_event
from apps.compliance.errors import RequestState
from apps.compliance.models import SubjectRequest
from apps.compliance.retention import OTHER, holdings
from apps.compliance.services.desk import (
    close_request,
    record_request,
    verified_request,
)
from apps.core.actors import Actor, Subject
from apps.core.keys.stores import sealed_stores
from apps.core.keys.subjects import (
    Destroyed,
    destroy,
    destroyed_keys,
    last_destroyed,
)
from apps.core.sealing import subject_of
from apps.core.signing import public_key, signed_document
from apps.safety.services import open_spooled_cases

Kind = SubjectRequest.Kind
BATCH = 500


def erase_subject(*, actor: Actor, request_id: str) -> dict[str, object]:
    """Erase the person of a verified request; the signed certificate.

    Takes another person than the one who checked the identity. Run again after a crash
    it ends what was begun. Raises NotPermitted without
    ``compliance.fulfil_subjectrequest``, RequestState for another kind, an unchecked
    identity or the same person; KeysUnavailable when the key cannot be destroyed, and
    then no row is gone.
    """
    require(actor, "compliance.fulfil_subjectrequest")
    # Cases on this machine's disk become rows, which the erasure then finds.
    open_spooled_cases()
    with transaction.atomic():
        request = verified_request(request_id, Kind.ERASURE)
        if request.verified_by_id == acting_user(actor).pk:
            raise RequestState(
                "Who checked the identity cannot erase as well: it takes two people."
            )
        lesser = _under_a_lesser_key(request.subject)
        removed = _removed(request.subject, timezone.now())
        # Last of what can fail, since a file cannot be rolled back: a crash after it
        # leaves rows that nobody can read, and the next run removes them.
        destroy(request.subject)
        certificate = _certificate(actor, request, removed, lesser)
        record_request(
            actor,
            "compliance.subject_erased",
            request,
            removed=removed,
            key=certificate["key_destroyed"],
            lesser=lesser,
        )
        close_request(request, actor, certificate)
    return certificate


def erase_again(*, actor: Actor) -> dict[str, int]:
    """Remove once more what erased people had before their erasure: run it after an
    older database was restored. How many rows, by holding.

    What somebody wrote after their erasure is theirs anew and stays.
    """
    require(actor, "compliance.repeat_subjectrequest")
    totals: dict[str, int] = {}
    for gone in destroyed_keys():
        with transaction.atomic():
            removed = _removed(gone.subject, gone.at)
            if any(removed.values()):
                record_event(
                    actor=actor,
                    event="compliance.subject_erased_again",
                    subject=Subject("compliance.subjectkey", str(gone.id)),
                    details={"removed": removed},
                )
        for name, rows in removed.items():
            totals[name] = totals.get(name, 0) + rows
    return totals


def _removed(subject: str, before: datetime) -> dict[str, int]:
    return {
        name: holding.erase(subject, before) for name, holding in holdings().items()
    }


def _under_a_lesser_key(subject: str) -> int:
    """Values of the person that their own key does not seal: backups hold them until
    the key they stand under is retired."""
    found = 0
    for store in sealed_stores().values():
        place = ""
        while items := store.items(place, BATCH):
            found += sum(
                item.subject == subject and subject_of(item.sealed) != subject
                for item in items
            )
            place = items[-1].place
    return found


def _certificate(
    actor: Actor, request: SubjectRequest, removed: dict[str, int], lesser: int
) -> dict[str, object]:
    gone: Destroyed | None = last_destroyed(request.subject)
    content: dict[str, Any] = {
        "certificate": "erasure",
        "request": str(request.pk),
        "subject": request.subject,
        "received_at": request.received_at.isoformat(),
        "identity_checked_by": str(request.verified_by_id),
        "erased_by": actor.id,
        "erased_at": timezone.now().isoformat(),
        # None: no key was ever made for this person, so nothing was sealed under one.
        "key_destroyed": str(gone.id) if gone else None,
        "removed": removed,
        "under_a_lesser_key": lesser,
        "remains": [
            {"what": one["name"], "because": one["erasure"]}
            for one in map(asdict, OTHER)
            if not one["erasure"].startswith("not about")
        ],
        "public_key": public_key(),
    }
    return signed_document(content)
