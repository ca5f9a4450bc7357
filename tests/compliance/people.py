"""Participants with everything the platform may keep of them, without the gates."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

import orjson
from django.utils import timezone

from apps.accounts.models import ApiKey
from apps.accounts.permissions import system_actor
from apps.compliance import services
from apps.core.keys.subjects import subject_name
from apps.inference.idempotency import Claim, claim_or_replay, store_outcome
from apps.inference.models import BatchItem, BatchJob, InferenceRecord, KeptText
from apps.inference.sealing import seal
from apps.safety.cases import CaseFacts, text_digest
from apps.safety.contracts import RiskLevel
from apps.safety.models import Escalation
from apps.safety.services import open_case

PROGRAM = uuid.UUID(int=7)
SAID = "zebra crossing at the violet lighthouse"
PERSON = "participant-violet-17"


@dataclass(frozen=True)
class Kept:
    """One request that was kept in every way there is."""

    subject: str
    said: str
    record: InferenceRecord
    case: Escalation


def keep_everything(participant: str, said: str, program: uuid.UUID = PROGRAM) -> Kept:
    """A record, its words, its stored outcome and its case."""
    digest = text_digest(participant) if participant else ""
    subject = subject_name(program, digest)
    record_id, now = uuid.uuid4(), timezone.now()
    case = open_case(
        actor=system_actor("inference"),
        facts=CaseFacts(
            correlation_id=record_id,
            level=RiskLevel.HIGH,
            locale="en-GB",
            reasons=("crisis.plan",),
            digest=text_digest(said),
            policy_digest="sha256:0",
            minutes=10,
            happened_at=now,
            text=said,
            subject=subject,
        ),
    )
    record = InferenceRecord.objects.create(
        id=record_id,
        created_at=now,
        api_key_id=program,
        key_family_id=program,
        model_name="support-reply",
        locale="en-GB",
        text_digest=text_digest(said),
        participant_digest=digest,
        subject=subject,
        decision="escalate",
        source="fixed",
        escalation_id=case.pk,
    )
    words = {"text": said, "context": [said], "reply": said}
    KeptText.objects.create(
        record=record,
        sealed=seal(orjson.dumps(words), record.pk, subject),
        expires_at=now + timedelta(hours=24),
    )
    claim = claim_or_replay(
        key_family_id=program, idempotency_key=str(record_id), body_digest="sha256:1"
    )
    assert isinstance(claim, Claim)
    store_outcome(claim, 200, orjson.dumps({"output": said}), subject)
    keep_batch_line(said, program, subject)
    return Kept(subject, said, record, case)


def keep_batch_line(said: str, program: uuid.UUID, subject: str) -> None:
    """A batch of one answered line."""
    now = timezone.now()
    job = BatchJob.objects.create(
        state=BatchJob.State.FINISHED,
        created_at=now,
        finished_at=now,
        touched_at=now,
        expires_at=now + timedelta(hours=72),
        api_key_id=program,
        key_family_id=program,
        model_name="support-reply",
        size=1,
    )
    line = BatchItem(
        job=job,
        position=1,
        state=BatchItem.State.DONE,
        decision="allow",
        subject=subject,
    )
    line.sealed = seal(orjson.dumps({"output": said}), line.pk, subject)
    line.save(force_insert=True)


def verified(officers, program: ApiKey, kind: str, participant: str = PERSON) -> str:
    request = services.open_subject_request(
        actor=officers[0],
        asked=services.Asked(kind, program.prefix, participant, timezone.now()),
    )
    services.verify_identity(
        actor=officers[0], request_id=str(request.pk), how="came in person with a card"
    )
    return str(request.pk)
