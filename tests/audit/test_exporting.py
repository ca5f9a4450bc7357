"""An export in the hands of somebody who has the public key and nothing else.

Each lie is told by whoever could tell it: to the exported files, or to the database by
its owner, who has the audit key as well. The script runs as a program of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from apps.audit.checkpoints import read_checkpoints, write_checkpoint
from apps.audit.errors import ChainBroken
from apps.audit.exporting import export_chains
from apps.audit.selectors import verify_chains
from apps.core.digests import canonical_json, keyed_digest
from apps.core.errors import InvalidInput
from apps.core.signing import public_key, signed_document
from tests.audit.support import CLERK, execute, record, triggers_dropped

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools" / "verify_audit.py"


def run(folder: Path, *more: str, what: str = "chain", key: str = "") -> dict:
    """The script's answer; without Django, settings or the platform to import."""
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), what, str(folder),
         "--key", key or public_key(), *more],
        capture_output=True, text=True, check=False, cwd="/",
        env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    answer = json.loads(done.stdout)
    assert answer["verified"] is (done.returncode == 0)
    return answer


@pytest.fixture
def exported(db, tmp_path, settings) -> Path:
    """Two chains, a checkpoint in the middle of the first, and their export."""
    for number in range(1, 6):
        record(number, text="ärger 🌧", share=0.5)
    write_checkpoint(actor=CLERK)
    settings.PE_AUDIT_CHAIN = "other"
    record(1)
    settings.PE_AUDIT_CHAIN = "test"
    record(7)
    write_checkpoint(actor=CLERK)
    record(8)
    export_chains(tmp_path / "export")
    return tmp_path / "export"


def lines_of(folder: Path) -> tuple[Path, list[bytes]]:
    """The file of the chain ``test``, and its lines."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    path = folder / manifest["chains"]["test"]["file"]
    return path, path.read_bytes().splitlines(keepends=True)


def test_an_export_verifies(exported):
    answer = run(exported)

    assert answer["chains"] == {"test": 9, "other": 1}
    assert answer["signed_checkpoints"] == 2
    assert not answer["each_entry_recomputed"]


def test_with_the_audit_key_each_entry_is_recomputed(exported, settings, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(f"{settings.PE_AUDIT_KEY_ID}:{settings.PE_AUDIT_KEY}\n")

    assert run(exported, "--audit-keys", str(keys))["each_entry_recomputed"]
    keys.write_text(f"{settings.PE_AUDIT_KEY_ID}:another\n")
    assert "does not match" in run(exported, "--audit-keys", str(keys))["error"]


@pytest.mark.parametrize(
    ("lie", "found"),
    [
        (lambda lines: [lines[0].replace(b"counted", b"forgery"), *lines[1:]],
         "checkpoint saw another entry"),
        (lambda lines: [*lines[:-1], lines[-1].replace(b"counted", b"forgery")],
         "not those that the manifest states"),
        (lambda lines: lines[:2] + lines[3:], "entry 3 is missing"),
        (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]],
         "entry 3 is missing or out of order"),
        (lambda lines: lines[:-1], "not those that the manifest states"),
        (lambda lines: lines[:4], "checkpoint saw entry 6, which is gone"),
        (lambda lines: [], "checkpoint saw entry 6, which is gone"),
        (lambda lines: [*lines, lines[-1]], "entry 10 is missing or out of order"),
        (lambda lines: [lines[0][:50] + b"\n", *lines[1:]], "damaged"),
        (lambda lines: [b"{}\n", *lines[1:]], "damaged"),
    ],
    ids=["altered", "altered-tail", "removed", "reordered", "truncated",
         "truncated-past-checkpoint", "emptied", "repeated", "torn", "replaced"],
)  # fmt: skip
def test_a_lie_in_the_exported_lines_is_found(exported, lie, found):
    path, lines = lines_of(exported)
    path.write_bytes(b"".join(lie(lines)))

    assert found in run(exported)["error"]


def test_lines_with_links_made_to_fit_are_found(exported):
    """Reordered, and renumbered and relinked so that each names the one before it."""
    path, lines = lines_of(exported)
    entries = [json.loads(line) for line in lines]
    entries[1]["entry"]["details"], entries[2]["entry"]["details"] = (
        entries[2]["entry"]["details"], entries[1]["entry"]["details"],
    )  # fmt: skip
    path.write_bytes(b"".join(canonical_json(entry) + b"\n" for entry in entries))

    assert "checkpoint saw another entry" in run(exported)["error"]


@pytest.mark.parametrize(
    "name", ["manifest.json", "checkpoints.jsonl", "chain-2.jsonl"]
)
def test_a_missing_file_is_found(exported, name):
    (exported / name).unlink()

    assert not run(exported)["verified"]


@pytest.mark.parametrize(
    "forge",
    [
        lambda m: {**m, "made_at": "2020-01-01T00:00:00Z"},
        lambda m: {**m, "chains": {"test": m["chains"]["test"]}},
        lambda m: {**m, "signature": "ed25519:" + "0" * 128},
        lambda m: {name: m[name] for name in m if name != "signature"},
    ],
)
def test_a_forged_manifest_is_found(exported, forge):
    path = exported / "manifest.json"
    path.write_bytes(canonical_json(forge(json.loads(path.read_bytes()))))

    assert "signature is wrong" in run(exported)["error"]


def test_a_manifest_signed_by_somebody_else_is_found(exported, settings):
    mine = public_key()
    path = exported / "manifest.json"
    manifest = json.loads(path.read_bytes())
    settings.PE_CHECKPOINT_KEY = "the key of a forger, who signs what he likes"
    forged = signed_document({**manifest, "public_key": public_key()})
    path.write_bytes(canonical_json(forged))

    assert "signature is wrong" in run(exported, key=mine)["error"]


def rewrite_everything(settings) -> None:
    """What the owner of database and audit key does: another past, well formed."""
    with triggers_dropped():
        execute("DELETE FROM audit_auditentry")
    execute("DELETE FROM audit_auditchain")
    for chain in ("other", "test"):
        settings.PE_AUDIT_CHAIN = chain
        for number in range(20):
            record(number)


def test_a_rewritten_chain_is_found_by_the_checkpoints_it_left(
    exported, tmp_path, settings
):
    rewrite_everything(settings)
    write_checkpoint(actor=CLERK)

    export_chains(tmp_path / "again")

    assert "checkpoint saw another entry" in run(tmp_path / "again")["error"]


def test_a_rewritten_chain_and_checkpoints_are_found_by_the_auditors_copy(
    exported, tmp_path, checkpoints, settings
):
    shutil.copy(exported / "checkpoints.jsonl", tmp_path / "kept-last-year.jsonl")
    checkpoints.unlink()
    rewrite_everything(settings)
    write_checkpoint(actor=CLERK)
    export_chains(tmp_path / "again")

    assert run(tmp_path / "again")["verified"]
    answer = run(
        tmp_path / "again", "--checkpoints", str(tmp_path / "kept-last-year.jsonl")
    )

    assert "disagree" in answer["error"] or "another entry" in answer["error"]


def test_an_altered_entry_is_found_though_nothing_was_exported_before(
    exported, tmp_path
):
    with triggers_dropped():
        execute(
            "UPDATE audit_auditentry SET event = 'x' WHERE sequence = 2 "
            "AND chain = 'test'"
        )

    export_chains(tmp_path / "again")

    assert "checkpoint saw another entry" in run(tmp_path / "again")["error"]


def test_a_line_taken_out_of_the_checkpoints_is_found(exported, checkpoints):
    lines = checkpoints.read_bytes().splitlines(keepends=True)
    checkpoints.write_bytes(lines[1])

    with pytest.raises(ChainBroken, match="line before checkpoint line 1 is missing"):
        read_checkpoints()


def test_checkpoints_from_before_signatures_still_verify(
    exported, checkpoints, settings
):
    first = json.loads(checkpoints.read_bytes().splitlines()[0])
    heads = {
        name: {part: head[part] for part in ("sequence", "digest")}
        for name, head in first["heads"].items()
    }
    content = {"at": first["at"], "heads": heads}
    key = settings.PE_CHECKPOINT_KEY.encode()
    content["signature"] = keyed_digest(key, canonical_json(content))
    checkpoints.write_bytes(canonical_json(content) + b"\n")
    write_checkpoint(actor=CLERK)

    assert len(read_checkpoints()) == 2
    assert len(verify_chains()) == 2
    export_chains(exported.parent / "again")
    answer = run(exported.parent / "again")
    assert answer["checkpoints_only_the_platform_can_check"] == 1


def test_copies_elsewhere_are_read_only_and_serve_the_auditor(
    exported, settings, tmp_path
):
    copies = tmp_path / "write-once"
    copies.mkdir()
    settings.PE_CHECKPOINT_COPY_DIR = str(copies)
    write_checkpoint(actor=CLERK)
    export_chains(tmp_path / "again")

    (copy,) = copies.iterdir()
    assert copy.stat().st_mode & 0o222 == 0
    answer = run(tmp_path / "again", "--checkpoints", str(copies))
    assert answer["signed_checkpoints"] == 4


def test_the_command_exports_once(db, tmp_path):
    record(1)
    out = StringIO()

    call_command("audit_export", str(tmp_path / "export"), stdout=out)

    assert public_key() in out.getvalue()
    assert run(tmp_path / "export")["entries"] == 1
    with pytest.raises(InvalidInput):
        export_chains(tmp_path / "export")


def test_a_signed_document_verifies_and_an_edited_one_does_not(db, tmp_path):
    path = tmp_path / "certificate.json"
    content = {"what": "erasure ☂", "rows": 3, "none": None, "parts": [{"a": True}]}
    path.write_bytes(canonical_json(signed_document(content)))
    edited = tmp_path / "edited.json"
    edited.write_bytes(path.read_bytes().replace(b":3", b":4"))

    assert run(path, what="document")["document"]["rows"] == 3
    assert "signature is wrong" in run(edited, what="document")["error"]
