"""A whole erasure: nothing readable is left, in backups neither, and others are not
touched. Each test that looks for words looks through every byte on disk."""

from __future__ import annotations

import json
import sqlite3
import uuid
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from apps.accounts.roles import Role
from apps.audit.selectors import verify_chains
from apps.compliance import services
from apps.compliance.errors import RequestState
from apps.compliance.models import SubjectRequest
from apps.core.errors import NotPermitted
from apps.core.keys import subjects
from apps.core.keys.errors import KeyDestroyed, KeysUnavailable, SubjectRestricted
from apps.core.signing import is_genuine_document
from apps.inference.errors import TextNotKept
from apps.inference.kept_text import open_text, purge_expired
from apps.inference.models import IdempotentRequest, InferenceRecord, KeptText
from apps.inference.sealing import unseal
from apps.safety.cases import CaseFacts, text_digest
from apps.safety.contracts import RiskLevel
from apps.safety.models import Escalation, EscalationText
from apps.safety.spool import keep_case
from tests.compliance.people import PERSON, SAID, keep_everything, verified


def disk_holds(needle: str, *folders: Path) -> bool:
    """Whether any file in these folders, or the database's, has the bytes."""
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        files += [Path(name + end) for end in ("", "-wal", "-journal")]
    raw = needle.encode()
    return any(raw in path.read_bytes() for path in files if path.exists())


def database_text() -> str:
    """Every value of every table, for databases that are no file of ours."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            found += [
                repr(bytes(v) if isinstance(v, memoryview) else v)
                for row in cursor.fetchall()
                for v in row
            ]
    return "\n".join(found)


@contextmanager
def restored_after(folder: Path):
    """Bring the database back to what it was before the block, from a backup."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        backup = sqlite3.connect(folder / "backup.sqlite3")
        connection.connection.backup(backup)
        yield
        backup.backup(connection.connection)
        backup.close()
        return
    models = (InferenceRecord, KeptText, IdempotentRequest, Escalation, EscalationText)
    rows = [row for model in models for row in model.objects.all()]
    yield
    for row in rows:
        row.save()


@pytest.mark.django_db(transaction=True)
def test_nothing_readable_is_left_anywhere_and_the_chain_still_verifies(
    officers, program, tmp_path
):
    kept = keep_everything(PERSON, SAID, program.family_id)
    other = keep_everything("somebody-else", "other words", program.family_id)
    request = verified(officers, program, "export")
    exported = services.export_subject(actor=officers[1], request_id=request)
    assert json.dumps(exported).count(SAID) == 6
    assert not disk_holds(SAID, tmp_path)
    backup_rows = [
        (bytes(KeptText.objects.get(pk=kept.record.pk).sealed), kept.record.pk),
        (bytes(IdempotentRequest.objects.get(subject=kept.subject).response),
         IdempotentRequest.objects.get(subject=kept.subject).pk),
    ]  # fmt: skip
    assert all(SAID.encode() in unseal(*row) for row in backup_rows)
    key_file = subjects._path(kept.subject)
    wrapped = subjects.read_key(kept.subject).wrapped.blob

    erasure = verified(officers, program, "erasure")
    certificate = services.erase_subject(actor=officers[1], request_id=erasure)

    assert not disk_holds(SAID, tmp_path)
    assert not disk_holds(PERSON, tmp_path)
    assert SAID not in database_text()
    assert PERSON not in database_text()
    assert not key_file.exists()
    assert not any(
        wrapped in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    )
    for sealed, row_id in backup_rows:
        with pytest.raises(KeyDestroyed):
            unseal(sealed, row_id)
    with pytest.raises(TextNotKept):
        open_text(kept.record)
    assert not EscalationText.objects.filter(pk=kept.case.pk).exists()
    assert verify_chains()
    assert is_genuine_document(certificate)
    assert certificate["removed"] == dict.fromkeys(certificate["removed"], 1)
    assert certificate["under_a_lesser_key"] == 0
    assert open_text(other.record).text == "other words"
    assert InferenceRecord.objects.filter(pk=kept.record.pk).exists()
    assert Escalation.objects.filter(pk=kept.case.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_a_database_restored_from_before_is_erased_again(officers, program, tmp_path):
    kept = keep_everything(PERSON, SAID, program.family_id)
    request = verified(officers, program, "erasure")
    with restored_after(tmp_path):
        services.erase_subject(actor=officers[1], request_id=request)
    restored = KeptText.objects.get(pk=kept.record.pk)
    assert restored.sealed is not None
    later = keep_everything(PERSON, "words after coming back", program.family_id)

    call_command("subject_erase", again=True, stdout=StringIO())

    restored.refresh_from_db()
    assert restored.sealed is None
    assert not IdempotentRequest.objects.filter(
        idempotency_key=str(kept.record.pk)
    ).exists()
    assert not disk_holds(SAID, tmp_path)
    assert open_text(later.record).text == "words after coming back"
    assert verify_chains()


@pytest.mark.django_db
def test_a_case_that_waits_on_disk_is_erased_too(officers, program, settings, tmp_path):
    subject = subjects.subject_name(program.family_id, text_digest(PERSON))
    keep_case(
        CaseFacts(
            correlation_id=uuid.uuid4(),
            level=RiskLevel.HIGH,
            locale="en",
            reasons=("crisis.plan",),
            digest="hmac-sha256:0",
            policy_digest="sha256:0",
            minutes=5,
            happened_at=timezone.now(),
            text=SAID,
            subject=subject,
        )
    )

    services.erase_subject(
        actor=officers[1], request_id=verified(officers, program, "erasure")
    )

    assert Escalation.objects.count() == 1
    assert not EscalationText.objects.exists()


@pytest.mark.django_db
def test_one_person_cannot_check_and_erase(officers, program):
    kept = keep_everything(PERSON, SAID, program.family_id)
    request = verified(officers, program, "erasure")

    with pytest.raises(RequestState, match="two people"):
        services.erase_subject(actor=officers[0], request_id=request)

    assert open_text(kept.record).text == SAID


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["access", "export", "restriction"])
def test_a_request_for_something_else_erases_nothing(officers, program, kind):
    kept = keep_everything(PERSON, SAID, program.family_id)
    request = verified(officers, program, kind)

    with pytest.raises(RequestState):
        services.erase_subject(actor=officers[1], request_id=request)

    assert open_text(kept.record).text == SAID


@pytest.mark.django_db
def test_without_a_checked_identity_nothing_happens(officers, program):
    keep_everything(PERSON, SAID, program.family_id)
    request = services.open_subject_request(
        actor=officers[0],
        asked=services.Asked("erasure", program.prefix, PERSON, timezone.now()),
    )

    for actor in officers:
        with pytest.raises(RequestState, match="identity"):
            services.erase_subject(actor=actor, request_id=str(request.pk))


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.OPERATOR, Role.REVIEWER, Role.CLINICIAN])
def test_other_roles_neither_open_nor_erase(officers, program, acting, role):
    request = verified(officers, program, "erasure")
    stranger = acting("stranger", role)

    for service in (services.erase_subject, services.export_subject):
        with pytest.raises(NotPermitted):
            service(actor=stranger, request_id=request)


@pytest.mark.django_db
def test_the_same_name_in_another_program_is_another_person(officers, program):
    same_name = keep_everything(PERSON, SAID)

    services.erase_subject(
        actor=officers[1], request_id=verified(officers, program, "erasure")
    )

    assert open_text(same_name.record).text == SAID


@pytest.mark.django_db(transaction=True)
def test_when_the_key_cannot_be_destroyed_no_row_is_gone(
    officers, program, settings, tmp_path
):
    kept = keep_everything(PERSON, SAID, program.family_id)
    request = verified(officers, program, "erasure")
    path = subjects._path(kept.subject)
    content = path.read_bytes()
    path.unlink()
    path.mkdir()

    with pytest.raises(KeysUnavailable):
        services.erase_subject(actor=officers[1], request_id=request)
    path.rmdir()
    path.write_bytes(content)

    assert open_text(kept.record).text == SAID
    assert SubjectRequest.objects.get(pk=request).state == "verified"


@pytest.mark.django_db
def test_a_certificate_cannot_be_edited(officers, program):
    keep_everything(PERSON, SAID, program.family_id)
    request = verified(officers, program, "erasure")

    certificate = services.erase_subject(actor=officers[1], request_id=request)

    assert not is_genuine_document({**certificate, "under_a_lesser_key": 3})
    assert SAID not in json.dumps(certificate)


@pytest.mark.django_db
def test_restricted_words_are_kept_and_not_used(officers, program, settings):
    kept = keep_everything(PERSON, SAID, program.family_id)
    request = verified(officers, program, "restriction")

    services.restrict_subject(actor=officers[1], request_id=request)

    KeptText.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    with pytest.raises(SubjectRestricted):
        open_text(kept.record)
    assert purge_expired() == 0
    lifting = verified(officers, program, "lifting")
    services.restrict_subject(actor=officers[1], request_id=lifting)
    assert purge_expired() == 1


@pytest.mark.django_db
def test_the_commands_do_the_whole_of_it(officers, program, tmp_path):
    keep_everything(PERSON, SAID, program.family_id)
    out, target = StringIO(), tmp_path / "export.json"
    named = {"program": program.prefix, "participant": PERSON, "actor": "cora"}
    call_command("subject_request", kind="export", **named, stdout=out)
    request = out.getvalue().split()[0]
    how = "known to the clinic for years"
    call_command("subject_request", verify=request, how=how, actor="cora", stdout=out)

    call_command("subject_export", request, actor="ciro", output=target, stdout=out)

    assert target.read_text().count(SAID) == 6
    assert target.stat().st_mode & 0o077 == 0
    assert SAID not in out.getvalue()
    assert PERSON not in out.getvalue()
    with pytest.raises(CommandError, match="cannot be made"):
        call_command("subject_export", request, actor="ciro", output=target)
    with pytest.raises(CommandError):
        call_command("subject_erase", request, actor="ciro")
