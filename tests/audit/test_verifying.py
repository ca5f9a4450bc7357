"""Verification: each way of lying about the past is found."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from apps.accounts.permissions import acting_user
from apps.accounts.roles import Role
from apps.audit.checkpoints import read_checkpoints, write_checkpoint
from apps.audit.errors import ChainBroken
from apps.audit.models import AuditEntry
from apps.audit.selectors import head_matches, verify_chains
from apps.audit.tasks import write_checkpoint as checkpoint_task
from apps.core.errors import NotPermitted
from tests.audit.support import CLERK, execute, record, triggers_dropped

pytestmark = pytest.mark.django_db


@pytest.fixture
def five(db):
    return [record(number) for number in range(1, 6)]


def _tamper(statement, *values):
    with triggers_dropped():
        execute(statement, *values)


def test_untouched_chain_verifies(five):
    seen = []

    (state,) = verify_chains(progress=seen.append)

    assert (state.name, state.sequence, state.entries) == ("test", 5, 5)
    assert sum(seen) == 5
    assert head_matches()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("event", "other.event"),
        ("actor_label", "somebody else"),
        ("subject_digest", "sha256:0"),
        ("details", '{"number": 9}'),
        ("recorded_at", "2020-01-01 00:00:00+00:00"),
        ("request_id", "req-1"),
        ("previous_digest", "hmac-sha256:0"),
        ("digest", "hmac-sha256:0"),
    ],
)
def test_changed_row_is_found(five, column, value):
    _tamper(f"UPDATE audit_auditentry SET {column} = %s WHERE sequence = 3", value)

    with pytest.raises(ChainBroken, match=r"test#[34]"):
        verify_chains()


def test_details_without_canonical_form_are_found(five):
    _tamper(
        "UPDATE audit_auditentry SET details = %s WHERE sequence = 3",
        '{"number": 90071992547409930}',
    )

    with pytest.raises(ChainBroken, match="test#3 was changed"):
        verify_chains()


def test_deleted_row_is_found(five):
    _tamper("DELETE FROM audit_auditentry WHERE sequence = 3")

    with pytest.raises(ChainBroken, match="entry 3 is missing"):
        verify_chains()


def test_swapped_rows_are_found(five):
    with triggers_dropped():
        for old, new in ((2, 99), (3, 2), (99, 3)):
            execute(
                "UPDATE audit_auditentry SET sequence = %s WHERE sequence = %s",
                new,
                old,
            )

    with pytest.raises(ChainBroken, match="test#2"):
        verify_chains()


def test_tail_cut_off_is_found_by_the_head(five):
    _tamper("DELETE FROM audit_auditentry WHERE sequence > 3")

    assert not head_matches()
    with pytest.raises(ChainBroken, match="head is at 5"):
        verify_chains()


def test_tail_cut_off_with_its_head_is_found_by_the_checkpoint(five):
    write_checkpoint(actor=CLERK)
    fourth = AuditEntry.objects.get(sequence=4)
    _tamper("DELETE FROM audit_auditentry WHERE sequence > 4")
    execute("UPDATE audit_auditchain SET sequence = 4, digest = %s", fourth.digest)

    assert head_matches()
    with pytest.raises(ChainBroken, match="checkpoint saw entry 6"):
        verify_chains()


def test_chain_rewritten_since_a_checkpoint_is_found(five, settings):
    write_checkpoint(actor=CLERK)
    _tamper("DELETE FROM audit_auditentry")
    execute("DELETE FROM audit_auditchain")
    for number in range(10):
        record(number)

    with pytest.raises(ChainBroken, match="not the entry that a checkpoint saw"):
        verify_chains()


def test_whole_chain_removed_is_found_by_the_checkpoint(five):
    write_checkpoint(actor=CLERK)
    _tamper("DELETE FROM audit_auditentry")
    execute("DELETE FROM audit_auditchain")

    with pytest.raises(ChainBroken, match="in a checkpoint but gone"):
        verify_chains()


def test_entries_without_their_chain_are_found(five):
    execute("DELETE FROM audit_auditchain")

    with pytest.raises(ChainBroken, match="belongs to no chain"):
        verify_chains()


def test_head_that_names_another_entry_is_found(five):
    execute("UPDATE audit_auditchain SET digest = 'hmac-sha256:0'")

    assert not head_matches()
    with pytest.raises(ChainBroken, match="head names another"):
        verify_chains()


@pytest.mark.parametrize(
    "forge",
    [
        lambda line: {**line, "heads": {"test": {"sequence": 1, "digest": "x"}}},
        lambda line: {**line, "signature": "hmac-sha256:0"},
        lambda line: {key: line[key] for key in ("at", "heads")},
        lambda line: {**line, "at": "2020-01-01T00:00:00Z"},
        lambda line: [line],
        lambda line: "signature",
    ],
)
def test_forged_checkpoint_is_found(five, checkpoints, forge):
    write_checkpoint(actor=CLERK)
    line = json.loads(checkpoints.read_text())
    checkpoints.write_text(json.dumps(forge(line)) + "\n")

    with pytest.raises(ChainBroken, match="Checkpoint line 1"):
        verify_chains()


def test_torn_checkpoint_is_found(five, checkpoints):
    write_checkpoint(actor=CLERK)
    checkpoints.write_bytes(checkpoints.read_bytes()[:40])

    with pytest.raises(ChainBroken, match="Checkpoint line 1"):
        verify_chains()


def test_checkpoints_cover_all_heads_and_agree_with_the_chain(five, settings):
    settings.PE_AUDIT_CHAIN = "other"
    record(1)

    write_checkpoint(actor=CLERK)
    record(2)
    checkpoint_task()

    assert [set(line["heads"]) for line in read_checkpoints()] == [
        {"test", "other"},
        {"test", "other"},
    ]
    assert len(verify_chains()) == 2


def test_checkpoints_need_their_permission(acting):
    with pytest.raises(NotPermitted):
        write_checkpoint(actor=acting("cora", Role.COMPLIANCE))


def test_entries_verify_with_the_key_they_were_signed_with(five, settings):
    settings.PE_AUDIT_KEYS = {**settings.PE_AUDIT_KEYS, "audit-2": "k" * 40}
    settings.PE_AUDIT_KEY_ID = "audit-2"
    record(6)

    assert verify_chains()[0].entries == 6
    settings.PE_AUDIT_KEYS = {"audit-2": "k" * 40}
    with pytest.raises(ChainBroken, match="audit-1 is not configured"):
        verify_chains()


def test_chain_written_with_another_key_does_not_verify(five, settings):
    settings.PE_AUDIT_KEYS = {"audit-1": "another key, as a forger would have"}

    with pytest.raises(ChainBroken, match="test#1"):
        verify_chains()


# -- the command ----------------------------------------------------------------------


def _verify(*arguments):
    out, err = StringIO(), StringIO()
    call_command("verify_audit", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_command_says_how_much_was_verified(five):
    assert "Verified 5 entries in 1 chains." in _verify()[0]
    assert json.loads(_verify("--json")[0]) == {"verified": True, "chains": {"test": 5}}


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_command_exits_1_at_the_first_broken_link(five, arguments, capsys):
    _tamper("UPDATE audit_auditentry SET event = 'x' WHERE sequence IN (2, 4)")

    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", *arguments)

    assert ended.value.code == 1
    said = capsys.readouterr()
    assert "test#2" in said.out + said.err
    assert "test#4" not in said.out + said.err


# -- the screens ----------------------------------------------------------------------


def _browser(actor):
    client = Client()
    client.force_login(acting_user(actor), "django.contrib.auth.backends.ModelBackend")
    return client


def test_compliance_reads_and_verifies_the_log(five, acting):
    client = _browser(acting("cora", Role.COMPLIANCE))
    url = reverse("admin:audit_auditentry_changelist")

    assert "tests.counted" in client.get(url).content.decode()
    verified = client.get(reverse("admin:audit_auditentry_verify"), follow=True)
    assert "Verified 6 entries" in verified.content.decode()
    _tamper("UPDATE audit_auditentry SET event = 'x' WHERE sequence = 2")
    broken = client.get(reverse("admin:audit_auditentry_verify"), follow=True)
    assert "The chain is broken" in broken.content.decode()


def test_others_do_not_read_the_log(five, acting):
    client = _browser(acting("rita", Role.REVIEWER))

    assert client.get(reverse("admin:audit_auditentry_changelist")).status_code == 403
    assert client.get(reverse("admin:audit_auditentry_verify")).status_code == 403


def test_entries_cannot_be_edited_or_deleted_on_screen(five, acting):
    client = _browser(acting("cora", Role.COMPLIANCE))
    entry = AuditEntry.objects.first()

    for step in ("change", "delete"):
        url = reverse(f"admin:audit_auditentry_{step}", args=[entry.pk])
        assert client.post(url, {"event": "x", "post": "yes"}).status_code == 403
    assert client.get(reverse("admin:audit_auditentry_add")).status_code == 403
