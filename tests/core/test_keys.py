"""Keys and envelopes: what opens, what must not, and what a wrong key does at start."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from apps.core import sealing
from apps.core.checks import check_keys, refuse_to_start_without_keys
from apps.core.errors import IntegrityFailure, InvalidInput
from apps.core.keys import canary, subjects
from apps.core.keys.errors import KeyDestroyed, KeysUnavailable, KeyUnknown
from apps.core.keys.wrapping import key_wrapper

ROOT = Path(__file__).resolve().parents[2]
ANA, BEN = "a" * 64, "b" * 64
PLACE = {"purpose": b"tests v1", "bound_to": b"row-1"}
SAID = b"words of a test"
OTHER_KEY = "another key-encryption key of the tests, 44 chars"


@pytest.fixture(autouse=True)
def _own_keys(settings, tmp_path):
    settings.PE_SUBJECT_KEY_DIR = str(tmp_path / "keys")
    subjects.forget_opened_keys()
    canary._ensured.cache_clear()
    yield
    subjects.forget_opened_keys()
    canary._ensured.cache_clear()


def seal(subject: str = "") -> bytes:
    return sealing.seal_bytes(SAID, **PLACE, subject=subject)


def change_secret(settings) -> None:
    settings.PE_DATA_KEY = OTHER_KEY
    subjects.forget_opened_keys()
    canary._ensured.cache_clear()


@pytest.mark.parametrize("subject", ["", ANA])
def test_what_was_sealed_opens_and_shows_nothing(subject):
    sealed = seal(subject)

    assert sealing.unseal_bytes(sealed, **PLACE) == SAID
    assert SAID not in sealed
    assert seal(subject) != sealed


@pytest.mark.parametrize("subject", ["", ANA])
@pytest.mark.parametrize(
    "place",
    [{"purpose": b"tests v2"}, {"bound_to": b"row-2"}],
)
def test_it_opens_nowhere_else(subject, place):
    with pytest.raises(IntegrityFailure):
        sealing.unseal_bytes(seal(subject), **{**PLACE, **place})


@pytest.mark.parametrize("subject", ["", ANA])
def test_no_bit_can_be_changed_unseen(subject):
    sealed = seal(subject)

    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises((IntegrityFailure, KeyUnknown, KeyDestroyed)):
            sealing.unseal_bytes(bytes(changed), **PLACE)


@pytest.mark.parametrize("length", [0, 1, 5, 20, 60])
@pytest.mark.parametrize("subject", ["", ANA])
def test_a_torn_value_is_refused(subject, length):
    with pytest.raises((IntegrityFailure, KeyUnknown, KeyDestroyed)):
        sealing.unseal_bytes(seal(subject)[:length], **PLACE)


def test_what_was_sealed_before_envelopes_still_opens(settings):
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=PLACE["purpose"])
    key = derived.derive(settings.PE_TEXT_DIGEST_KEY.encode())
    nonce = os.urandom(12)
    old = nonce + AESGCM(key).encrypt(nonce, SAID, PLACE["bound_to"])

    assert sealing.unseal_bytes(old, **PLACE) == SAID
    assert sealing.key_id_of(old) == "derived"


def test_destroying_one_key_ends_one_person_only():
    ana, ben = seal(ANA), seal(BEN)

    subjects.destroy(ANA)

    with pytest.raises(KeyDestroyed):
        sealing.unseal_bytes(ana, **PLACE)
    assert sealing.unseal_bytes(ben, **PLACE) == SAID
    assert [one.subject for one in subjects.destroyed_keys()] == [ANA]


def test_somebody_who_comes_back_gets_a_new_key_and_the_old_words_stay_closed():
    before = seal(ANA)
    subjects.destroy(ANA)

    after = seal(ANA)

    assert sealing.unseal_bytes(after, **PLACE) == SAID
    with pytest.raises(KeyDestroyed):
        sealing.unseal_bytes(before, **PLACE)


def test_the_key_of_another_person_put_in_place_opens_nothing():
    ana = seal(ANA)
    seal(BEN)
    ben_path, ana_path = subjects._path(BEN), subjects._path(ANA)
    ana_path.write_bytes(ben_path.read_bytes())

    with pytest.raises((KeyDestroyed, IntegrityFailure)):
        sealing.unseal_bytes(ana, **PLACE)


def test_threads_that_meet_a_new_person_share_one_key():
    gate, found = threading.Barrier(8), []

    def meet() -> None:
        gate.wait()
        found.append(subjects.data_key_of(ANA))

    threads = [threading.Thread(target=meet) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(found)) == 1


@pytest.mark.parametrize("name", ["", "../../etc", "A" * 64, "a" * 63])
def test_a_subject_cannot_be_a_path(name):
    with pytest.raises(InvalidInput):
        subjects.read_key(name)


def test_files_are_for_their_owner_only():
    seal(ANA)

    assert subjects._path(ANA).stat().st_mode & 0o077 == 0


def test_names_differ_between_programs():
    first, second = uuid.UUID(int=1), uuid.UUID(int=2)

    assert subjects.subject_name(first, "hmac:x") != subjects.subject_name(
        second, "hmac:x"
    )
    assert subjects.subject_name(first, "") == ""


def test_a_wrong_key_is_told_before_it_seals_anything(settings):
    seal()
    change_secret(settings)

    assert [one.id for one in check_keys()] == ["core.E002"]
    with pytest.raises(IntegrityFailure):
        seal()
    with pytest.raises(SystemExit, match=r"core\.E002"):
        refuse_to_start_without_keys()


def test_a_key_that_is_gone_is_asked_for_by_its_id(settings):
    seal()
    settings.PE_DATA_KEY_ID = "data-2"
    change_secret(settings)

    (found,) = check_keys()

    assert found.id == "core.E003"
    assert "data-1" in found.msg


@pytest.mark.parametrize("value", ["", "short"])
def test_without_a_key_nothing_starts(settings, value):
    settings.PE_DATA_KEY = value

    assert [one.id for one in check_keys()] == ["core.E001"]


def test_manage_py_refuses_a_wrong_key(settings, tmp_path):
    seal()
    environment = os.environ | {
        "PE_ENV_FILE": os.devnull,
        "PE_ENVIRONMENT": "local",
        "PE_DATA_KEY": OTHER_KEY,
        "PE_SUBJECT_KEY_DIR": settings.PE_SUBJECT_KEY_DIR,
        "PE_STATE_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "pe_platform.settings",
    }

    done = subprocess.run(
        [sys.executable, "manage.py", "list_models"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode != 0
    assert "core.E002" in done.stderr
    assert OTHER_KEY not in done.stderr


def test_what_must_not_be_lost_is_sealed_under_a_lesser_key(settings):
    settings.PE_SUBJECT_KEY_DIR = "/proc/nowhere"

    sealed = sealing.seal_whatever_happens(SAID, **PLACE, subject=ANA)

    assert sealing.key_id_of(sealed) == "derived"
    assert sealing.unseal_bytes(sealed, **PLACE) == SAID


def test_keys_from_a_file_are_read_again_when_it_changes(settings, tmp_path):
    path = tmp_path / "kek"
    path.write_text(f"# mounted\nk-1:{OTHER_KEY}\n")
    settings.PE_KEY_WRAPPER, settings.PE_DATA_KEY_FILE = "file", str(path)
    first = seal()
    replacement = tmp_path / "kek.new"
    replacement.write_text(f"k-2:{OTHER_KEY[::-1]}\nk-1:{OTHER_KEY}\n")
    replacement.replace(path)

    second = seal()

    assert (sealing.key_id_of(first), sealing.key_id_of(second)) == ("k-1", "k-2")
    assert sealing.unseal_bytes(first, **PLACE) == SAID
    assert check_keys() == []


@pytest.mark.parametrize(
    "content", ["", "k-1:short\n", "no colon at all, 40 characters long\n"]
)
def test_a_key_file_that_holds_no_keys_is_refused(settings, tmp_path, content):
    path = tmp_path / "kek"
    path.write_text(content)
    settings.PE_KEY_WRAPPER, settings.PE_DATA_KEY_FILE = "file", str(path)

    assert [one.id for one in check_keys()] == ["core.E001"]


def test_an_unknown_wrapper_is_refused(settings):
    settings.PE_KEY_WRAPPER = "none"

    with pytest.raises(KeysUnavailable, match="environment, file"):
        key_wrapper()
