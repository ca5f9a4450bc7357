"""The words of a request, sealed for a while so that it can be decided again.

Off unless ``PE_KEEP_TEXT_HOURS`` says otherwise. Whoever opens a text must have been
permitted and must leave an audit entry; both are the caller's task (replaying.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson
from django.conf import settings
from django.utils import timezone

from apps.core.errors import IntegrityFailure
from apps.core.keys.errors import KeyDestroyed, KeysUnavailable, SubjectRestricted
from apps.core.keys.subjects import is_restricted, restricted_among
from apps.inference.contracts import Answer
from apps.inference.errors import KeptTextUnreadable, TextNotKept
from apps.inference.models import InferenceRecord, KeptText
from apps.inference.sealing import seal, unseal
from apps.safety.services import text_digest


@dataclass(frozen=True, slots=True)
class Words:
    """What was said, what came before, and what the model replied, if it was asked."""

    text: str = field(repr=False)
    context: tuple[str, ...] = field(default=(), repr=False)
    reply: str | None = field(default=None, repr=False)


def keep_text(record: InferenceRecord, answer: Answer) -> None:
    """Seal the words of an answer beside its record, as long as settings say.

    Call it in the transaction that writes the record.
    """
    hours = int(settings.PE_KEEP_TEXT_HOURS)
    if hours == 0 or not _may_keep(record.subject):
        return
    words = {
        "text": answer.request.text,
        "context": list(answer.request.context),
        "reply": answer.output.original if answer.output else None,
    }
    KeptText.objects.create(
        record=record,
        sealed=seal(orjson.dumps(words), record.pk, record.subject),
        expires_at=record.created_at + timedelta(hours=hours),
    )


def _may_keep(subject: str) -> bool:
    """False also when nobody can say: words that are not kept harm no one."""
    try:
        return not is_restricted(subject)
    except KeysUnavailable:
        return False


def open_text(record: InferenceRecord) -> Words:
    """The words of a record.

    Raises TextNotKept when there are none (any more), KeptTextUnreadable when they
    cannot be opened or are not those that the record names, SubjectRestricted when the
    person asked that their words be kept but not used.
    """
    if is_restricted(record.subject):
        raise SubjectRestricted("Processing of this person's data is restricted.")
    kept = KeptText.objects.filter(pk=record.pk).first()
    if kept is None:
        raise TextNotKept(
            "The text of this request was not kept: PE_KEEP_TEXT_HOURS was 0 then."
        )
    if kept.sealed is None or kept.expires_at <= timezone.now():
        raise TextNotKept(
            f"The text of this request was kept until {kept.expires_at:%Y-%m-%d %H:%M} "
            "UTC and is purged."
        )
    return _verified(record, _unsealed(record, bytes(kept.sealed)))


# Any: JSON that this platform wrote and sealed itself.
def _unsealed(record: InferenceRecord, sealed: bytes) -> Any:
    try:
        return orjson.loads(unseal(sealed, record.pk))
    except KeyDestroyed as error:
        raise TextNotKept("The person whose words these were was erased.") from error
    except (IntegrityFailure, orjson.JSONDecodeError) as error:
        raise KeptTextUnreadable(
            "The kept text of this request cannot be opened: a key is not the one "
            "it was sealed under (see manage.py check), or its bytes were changed."
        ) from error


def _verified(record: InferenceRecord, words: Any) -> Words:
    if text_digest(words["text"]) != record.text_digest:
        raise KeptTextUnreadable("The kept text is not the one that the record names.")
    return Words(words["text"], tuple(words["context"]), words["reply"])


def purge_expired() -> int:
    """Remove the words that are past their time; how many.

    Those of a person who asked that they be kept but not used stay.
    """
    now = timezone.now()
    due = KeptText.objects.filter(expires_at__lte=now, sealed__isnull=False)
    named = due.exclude(record__subject="").values_list("record__subject", flat=True)
    due = due.exclude(record__subject__in=restricted_among(named.distinct()))
    return due.update(sealed=None, purged_at=now)
