"""Rotation: everything ends under the new key, also when it is killed half-way."""

from __future__ import annotations

import os
from io import StringIO

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.apps import apps
from django.core.management import call_command
from django.db.models import BinaryField

from apps.accounts.permissions import system_actor
from apps.audit.models import AuditEntry
from apps.compliance.models import KeyRotation
from apps.compliance.services import rotate_keys, rotating
from apps.core import sealing
from apps.core.checks import check_keys
from apps.core.errors import NotPermitted
from apps.core.keys import canary
from apps.core.keys.stores import sealed_stores
from apps.core.keys.subjects import all_keys, forget_opened_keys, subject_name
from apps.inference.kept_text import open_text
from apps.inference.models import IdempotentRequest, KeptText
from apps.inference.sealing import PURPOSE
from apps.safety.models import EscalationText
from tests.compliance.people import keep_everything

pytestmark = pytest.mark.django_db
NEW_KEY = "the next key-encryption key of the tests, 45 chars"


def turn_over(settings, *, keep_old: bool = True) -> None:
    """What an operator does: the new key becomes current, the old one only opens."""
    if keep_old:
        settings.PE_DATA_OLD_KEYS = {settings.PE_DATA_KEY_ID: settings.PE_DATA_KEY}
    settings.PE_DATA_KEY, settings.PE_DATA_KEY_ID = NEW_KEY, "data-2"
    forget_opened_keys()
    canary._ensured.cache_clear()


def rotate(**more) -> KeyRotation:
    return rotate_keys(actor=system_actor("maintenance"), **more)


def test_after_rotation_the_old_key_can_be_thrown_away(settings):
    named, unnamed = (
        keep_everything("ana", "first words"),
        keep_everything("", "others"),
    )
    turn_over(settings)

    rotation = rotate()
    settings.PE_DATA_OLD_KEYS = {}
    forget_opened_keys()

    assert (rotation.failed, rotation.done) == (0, rotation.total)
    assert canary.known_key_ids() == ["data-2"]
    assert check_keys() == []
    assert open_text(named.record).text == "first words"
    assert open_text(unnamed.record).text == "others"


def test_the_chain_says_that_it_was_rotated(settings):
    keep_everything("ana", "words")
    turn_over(settings)

    rotate()

    finished = AuditEntry.objects.get(event="compliance.key_rotation_finished")
    assert finished.details["retired"] == ["data-1"]


def test_killed_half_way_it_goes_on_where_it_was(settings, monkeypatch):
    monkeypatch.setattr(rotating, "BATCH", 1)
    kept = [keep_everything("", f"words {number}") for number in range(4)]
    turn_over(settings)

    def stop(rotation: KeyRotation) -> None:
        if rotation.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate(progress=stop)
    first = KeyRotation.objects.get()
    assert (first.done, first.finished_at) == (3, None)
    assert canary.known_key_ids() == ["data-1", "data-2"]

    rotation = rotate()

    assert (rotation.pk, rotation.done) == (first.pk, rotation.total)
    assert canary.known_key_ids() == ["data-2"]
    assert [open_text(one.record).text for one in kept] == [one.said for one in kept]


def test_what_was_sealed_before_envelopes_moves_under_the_persons_key(settings):
    kept = keep_everything("ana", "old words")
    old = os.urandom(12)
    cipher = AESGCM(sealing._derived(PURPOSE))
    words = b'{"text":"old words","context":[],"reply":null}'
    old += cipher.encrypt(old, words, kept.record.pk.bytes)
    KeptText.objects.filter(pk=kept.record.pk).update(sealed=old)

    rotate()

    now = bytes(KeptText.objects.get(pk=kept.record.pk).sealed)
    assert sealing.subject_of(now) == kept.subject
    assert open_text(kept.record).text == "old words"


def test_a_value_that_cannot_be_opened_keeps_its_key_in_use(settings):
    kept = keep_everything("", "words")
    row = EscalationText.objects.get(pk=kept.case.pk)
    broken = bytearray(row.sealed)
    broken[-1] ^= 1
    EscalationText.objects.filter(pk=row.pk).update(sealed=bytes(broken))
    turn_over(settings)

    with pytest.raises(SystemExit):
        call_command("rotate_keys", stdout=StringIO())

    assert KeyRotation.objects.get().failed == 1
    assert "data-1" in canary.known_key_ids()


def test_without_the_old_key_nothing_is_touched(settings):
    keep_everything("ana", "words")
    before = [key.wrapped for key in all_keys()]
    turn_over(settings, keep_old=False)

    assert [one.id for one in check_keys()] == ["core.E003"]
    with pytest.raises(SystemExit):
        call_command("rotate_keys", stdout=StringIO(), skip_checks=True)

    assert [key.wrapped for key in all_keys()] == before


def test_the_command_tells_how_far_it_is(settings):
    keep_everything("ana", "words")
    turn_over(settings)
    out = StringIO()

    call_command("rotate_keys", stdout=out)

    assert "subject-keys: 1 of 5" in out.getvalue()
    assert "Keys to keep: data-2." in out.getvalue()
    assert "words" not in out.getvalue().replace("words looked", "")


def test_it_takes_its_permission():
    with pytest.raises(NotPermitted):
        rotate_keys(actor=system_actor("inference"))


def test_every_sealed_column_has_a_store():
    columns = [
        field
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, BinaryField)
    ]

    # The spool is a folder, not a column.
    assert len(sealed_stores()) == len(columns) + 1


def test_earlier_records_are_named_by_the_migration():
    from importlib import import_module

    kept = keep_everything("ana", "words")
    type(kept.record).objects.update(subject="")
    type(kept.case).objects.update(subject="")
    module = import_module("apps.inference.migrations.0006_name_subjects")

    module.name_subjects(apps, None)

    kept.record.refresh_from_db()
    kept.case.refresh_from_db()
    assert kept.record.subject == kept.case.subject == kept.subject
    assert kept.subject == subject_name(
        kept.record.key_family_id, kept.record.participant_digest
    )
    assert IdempotentRequest.objects.get().subject == kept.subject
