"""What the platform keeps of a participant: shown on request, removed on erasure."""

from __future__ import annotations

from datetime import datetime, timedelta

import orjson
from django.conf import settings
from django.db.models import Model

from apps.compliance.contracts import Holding, Kept
from apps.core.sealing import unseal_bytes
from apps.inference.models import (
    BatchItem,
    IdempotentRequest,
    InferenceRecord,
    KeptText,
)
from apps.inference.sealing import unseal
from apps.safety.models import Escalation, EscalationText
from apps.safety.services import texts

NOT_SHOWN = frozenset({"participant_digest", "subject", "api_key_id"})


class KeptTexts(Holding):
    name = "kept-texts"
    kept = Kept(
        name="Words of requests and replies",
        tables=("inference.kepttext",),
        holds="What a participant wrote and was answered, sealed under their key",
        period="PE_KEEP_TEXT_HOURS hours; 0, the default, keeps none",
        ends_by="task inference.purge_kept_texts, hourly",
        erasure="key destroyed, bytes removed",
        why="to decide a request again when a decision is questioned",
    )

    def export(self, subject: str) -> list[dict[str, object]]:
        rows = KeptText.objects.filter(record__subject=subject, sealed__isnull=False)
        return [
            {
                "request": str(row.pk),
                "kept_until": row.expires_at.isoformat(),
                **orjson.loads(unseal(bytes(row.sealed or b""), row.pk)),
            }
            for row in rows.order_by("record__created_at")
        ]

    def erase(self, subject: str, before: datetime) -> int:
        rows = KeptText.objects.filter(
            record__subject=subject,
            record__created_at__lte=before,
            sealed__isnull=False,
        )
        return rows.update(sealed=None, purged_at=before)


class CaseTexts(Holding):
    name = "case-texts"
    kept = Kept(
        name="Words of crisis cases",
        tables=("safety.escalationtext", "folder PE_ESCALATION_SPOOL"),
        holds="What a participant wrote, sealed under their key; cases on disk while "
        "the database is away",
        period="PE_ESCALATION_TEXT_DAYS days (30); on disk until the database is back",
        ends_by="task safety.sweep_escalations, every 15 s",
        erasure="key destroyed, row removed",
        why="so that a responder can act on what was said",
    )

    def export(self, subject: str) -> list[dict[str, object]]:
        rows = EscalationText.objects.filter(escalation__subject=subject)
        return [
            {
                "case": str(row.pk),
                "kept_until": row.keep_until.isoformat(),
                "text": _opened_case_text(row),
            }
            for row in rows.order_by("escalation__opened_at")
        ]

    def erase(self, subject: str, before: datetime) -> int:
        rows = EscalationText.objects.filter(
            escalation__subject=subject, escalation__opened_at__lte=before
        )
        return rows.delete()[0]


def _opened_case_text(row: EscalationText) -> str:
    opened = unseal_bytes(
        bytes(row.sealed), purpose=texts.PURPOSE, bound_to=row.pk.bytes
    )
    # What no JSON can carry, such as half a surrogate pair, becomes "?".
    return opened.decode("utf-8", "replace")


class StoredOutcomes(Holding):
    name = "stored-outcomes"
    kept = Kept(
        name="First answers to repeated requests",
        tables=("inference.idempotentrequest",),
        holds="The reply as it was sent, sealed under the participant's key",
        period="24 hours",
        ends_by="task inference.delete_expired_outcomes, hourly",
        erasure="key destroyed, row removed",
        why="so that a repeated request gets the same answer",
    )

    def export(self, subject: str) -> list[dict[str, object]]:
        rows = IdempotentRequest.objects.filter(subject=subject, response__isnull=False)
        return [
            {
                "kept_until": row.expires_at.isoformat(),
                "response": orjson.loads(unseal(bytes(row.response or b""), row.pk)),
            }
            for row in rows.order_by("expires_at")
        ]

    def erase(self, subject: str, before: datetime) -> int:
        kept_for = timedelta(hours=int(settings.PE_IDEMPOTENCY_HOURS))
        rows = IdempotentRequest.objects.filter(
            subject=subject, expires_at__lte=before + kept_for
        )
        return rows.delete()[0]


class BatchLines(Holding):
    name = "batch-lines"
    kept = Kept(
        name="Lines of batches",
        tables=("inference.batchitem",),
        holds="What a line says until it is answered, then its answer, sealed under "
        "the participant's key",
        period="PE_BATCH_RESULT_HOURS hours (72) after the batch has ended",
        ends_by="task inference.sweep_batches",
        erasure="key destroyed, bytes removed; an open line is cancelled",
        why="to answer the batch and hand its results over",
    )

    def export(self, subject: str) -> list[dict[str, object]]:
        rows = BatchItem.objects.filter(subject=subject, sealed__isnull=False)
        return [
            {
                "batch": str(row.job_id),
                "line": row.position,
                "state": row.state,
                "content": orjson.loads(unseal(bytes(row.sealed or b""), row.pk)),
            }
            for row in rows.order_by("job_id", "position")
        ]

    def erase(self, subject: str, before: datetime) -> int:
        rows = BatchItem.objects.filter(subject=subject, job__created_at__lte=before)
        return rows.update(
            state=BatchItem.State.CANCELLED,
            claim=None,
            not_before=None,
            sealed=None,
            subject="",
        )


class RequestRecords(Holding):
    name = "request-records"
    kept = Kept(
        name="Records of decisions",
        tables=("inference.inferencerecord",),
        holds="When, which model and policy, each gate's verdict, keyed digests of the "
        "text and of the participant; no words",
        period="without end",
        ends_by="nothing",
        erasure="kept without the participant: both names of them removed",
        why="evidence of what was decided and why",
    )

    def export(self, subject: str) -> list[dict[str, object]]:
        rows = InferenceRecord.objects.filter(subject=subject).order_by("created_at")
        return [_shown(row) for row in rows]

    def erase(self, subject: str, before: datetime) -> int:
        rows = InferenceRecord.objects.filter(subject=subject, created_at__lte=before)
        return rows.update(subject="", participant_digest="")


class Cases(Holding):
    name = "cases"
    kept = Kept(
        name="Crisis cases",
        tables=(
            "safety.escalation",
            "safety.escalationstep",
            "safety.notificationattempt",
        ),
        holds="Level, reason codes, who answered and how it ended, reasons given for "
        "reading; no words of the participant",
        period="without end",
        ends_by="nothing",
        erasure="kept without the participant: their name removed",
        why="evidence that a risk was answered",
    )

    def export(self, subject: str) -> list[dict[str, object]]:
        rows = Escalation.objects.filter(subject=subject).order_by("opened_at")
        return [_shown(row) for row in rows]

    def erase(self, subject: str, before: datetime) -> int:
        rows = Escalation.objects.filter(subject=subject, opened_at__lte=before)
        return rows.update(subject="")


def _shown(row: Model) -> dict[str, object]:
    """A row as JSON values, without the digests that name people or keys."""
    values = {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
    }
    shown = {name: value for name, value in values.items() if name not in NOT_SHOWN}
    content: dict[str, object] = orjson.loads(orjson.dumps(shown, default=str))
    return content
