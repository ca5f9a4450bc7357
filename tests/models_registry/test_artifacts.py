"""Content-addressed storage: what is opened is what was stored, or nothing is."""

from __future__ import annotations

import hashlib

import pytest

from apps.core.errors import IntegrityFailure
from apps.models_registry.artifacts import (
    VerifiedArtifact,
    open_verified,
    storage_path,
    store_artifact,
)
from apps.models_registry.errors import ArtifactDamaged
from apps.models_registry.models import Artifact

pytestmark = pytest.mark.django_db
CONTENT = b"weights " * 100


@pytest.fixture
def artifact(media):
    return store_artifact([CONTENT[:300], CONTENT[300:]], "onnx")


def test_stored_bytes_are_named_by_their_digest(artifact, media):
    name = hashlib.sha256(CONTENT).hexdigest()

    assert artifact.digest == f"sha256:{name}"
    assert artifact.path == f"artifacts/{name[:2]}/{name}"
    assert (media / artifact.path).read_bytes() == CONTENT
    assert artifact.size_bytes == len(CONTENT)


def test_storing_twice_keeps_one_row_and_no_scratch(artifact, media):
    again = store_artifact([CONTENT], "onnx")

    assert again == artifact
    assert Artifact.objects.count() == 1
    assert list((media / "artifacts" / "incoming").iterdir()) == []


def test_storing_again_heals_a_damaged_file(artifact, media):
    (media / artifact.path).write_bytes(b"gone")

    store_artifact([CONTENT], "onnx")

    assert open_verified(artifact.digest).content == CONTENT


def test_a_stream_that_breaks_off_leaves_nothing(media):
    def breaking():
        yield b"half"
        raise OSError("the sender went away")

    with pytest.raises(OSError, match="went away"):
        store_artifact(breaking(), "onnx")

    assert not Artifact.objects.exists()
    assert list((media / "artifacts" / "incoming").iterdir()) == []


def _flip(path):
    content = bytearray(path.read_bytes())
    content[17] ^= 1
    path.write_bytes(bytes(content))


def _truncate(path):
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_flip, "800 bytes whose digest is"),
        (_truncate, "799 bytes whose digest is"),
        (lambda path: path.unlink(), "missing"),
    ],
)
def test_bytes_that_do_not_match_are_not_opened(artifact, media, damage, said):
    damage(media / artifact.path)

    with pytest.raises(ArtifactDamaged, match=said) as raised:
        open_verified(artifact.digest)

    assert isinstance(raised.value, IntegrityFailure)


def test_an_unknown_digest_is_not_opened(media):
    with pytest.raises(ArtifactDamaged, match="no artifact"):
        open_verified("sha256:" + "0" * 64)


def test_nobody_else_makes_a_verified_artifact():
    with pytest.raises(ArtifactDamaged):
        VerifiedArtifact("sha256:0", b"unchecked", seal=object())


def test_a_storage_without_paths_serves_as_well(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    }

    digests = {store_artifact([CONTENT], "json").digest for _ in range(2)}

    assert open_verified(digests.pop()).content == CONTENT


def test_the_path_spreads_over_folders():
    assert storage_path("sha256:abcd").startswith("artifacts/ab/")
