"""Writing entries: with their fact, in order, in canonical form, never afterwards."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from apps.audit.chain import entry_digest
from apps.audit.models import AuditChain, AuditEntry
from apps.audit.selectors import head_matches, timeline_of, verify_chains
from apps.audit.services import audit_key, record_event
from apps.core.actors import Subject
from apps.core.context import request_context
from apps.core.errors import InvalidInput, NotPermitted
from tests.audit.support import CLERK, execute, record

pytestmark = pytest.mark.django_db


def test_entries_name_the_one_before_them():
    first, second = record(1), record(2)

    assert (first.sequence, second.sequence) == (1, 2)
    assert first.previous_digest == ""
    assert second.previous_digest == first.digest
    head = AuditChain.objects.get()
    assert (head.sequence, head.digest) == (2, second.digest)
    assert str(head) == "test at 2"
    assert str(second) == "test#2 tests.counted"


def test_entry_as_read_back_has_the_digest_it_was_written_with():
    written = record(1, text="ärger 🌧", share=0.1, small=1e-7, nothing=None, deep=[{}])

    read = AuditEntry.objects.get(pk=written.pk)

    assert entry_digest(read, audit_key(read.key_id)) == written.digest


def test_entry_carries_actor_and_request():
    with request_context("req-12345678"):
        entry = record(1)

    assert entry.request_id == "req-12345678"
    assert (entry.actor_kind, entry.actor_label) == ("system", "system:maintenance")


@pytest.mark.django_db(transaction=True)
def test_entry_needs_the_transaction_of_its_fact():
    with pytest.raises(transaction.TransactionManagementError):
        record_event(actor=CLERK, event="e", subject=Subject("s", "1"))

    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_entry_goes_when_its_fact_is_rolled_back():
    record(1)

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record(2)
        raise ZeroDivisionError

    assert AuditEntry.objects.count() == 1
    assert record(3).sequence == 2
    assert verify_chains()[0].sequence == 2


@pytest.mark.parametrize(
    "details",
    [
        {"text": "a\x00b"},
        {"text": "lone \udc00"},
        {"number": float("nan")},
        {"number": 2**53},
        {"number": 1e300},
        {"object": object()},
        {1: "key"},
    ],
)
def test_details_that_no_database_keeps_as_they_are_are_refused(details):
    with pytest.raises(InvalidInput), transaction.atomic():
        record_event(actor=CLERK, event="e", subject=Subject("s", "1"), details=details)


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry.save(),
        lambda entry: entry.delete(),
        lambda entry: AuditEntry.objects.update(event="other"),
        lambda entry: AuditEntry.objects.all().delete(),
        lambda entry: AuditEntry.objects.filter(pk=entry.pk).update(event="other"),
        lambda entry: AuditEntry.objects.bulk_update([entry], ["event"]),
        lambda entry: AuditEntry.objects.bulk_create([entry]),
        lambda entry: AuditEntry.objects.update_or_create(pk=entry.pk),
        lambda entry: AuditEntry._base_manager.update(event="other"),
        lambda entry: AuditEntry._default_manager.all().delete(),
    ],
)
def test_orm_refuses_to_change_or_delete(change):
    entry = record(1)

    with pytest.raises(NotPermitted):
        change(entry)

    assert AuditEntry.objects.get().event == "tests.counted"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditentry SET event = 'other'",
        "UPDATE audit_auditentry SET id = id",
        "DELETE FROM audit_auditentry",
    ],
)
def test_triggers_refuse_what_goes_past_the_orm(statement):
    record(1)

    with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
        execute(statement)

    assert verify_chains()[0].entries == 1


@pytest.mark.parametrize(
    ("sequence", "constraint"),
    [(1, "audit_chain_sequence_unique|UNIQUE"), (0, "audit_sequence_from_one")],
)
def test_database_refuses_a_second_entry_in_a_place(sequence, constraint):
    entry = record(1)
    entry.pk, entry.sequence = None, sequence

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        entry.save(force_insert=True)


def test_two_chains_grow_apart(settings):
    record(1)
    settings.PE_AUDIT_CHAIN = "other"

    assert record(2).sequence == 1
    assert [state.name for state in verify_chains()] == ["other", "test"]
    assert head_matches()


def test_recording_costs_three_queries_and_no_more(django_assert_num_queries):
    record(1)

    with transaction.atomic(), django_assert_num_queries(3):
        record_event(actor=CLERK, event="e", subject=Subject("s", "1"))


def test_timeline_tells_one_subject_in_order():
    for number in (1, 2, 1):
        record(number)

    found = timeline_of("tests.thing", "1")

    assert [entry.sequence for entry in found] == [1, 3]


def test_triggers_survive_all_migrations():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*) FROM pg_trigger WHERE tgname = 'audit_entry_final'"
            if connection.vendor == "postgresql"
            else "SELECT COUNT(*) FROM sqlite_master WHERE name LIKE 'audit_entry_no_%'"
        )
        (count,) = cursor.fetchone()

    assert count == (1 if connection.vendor == "postgresql" else 2)
