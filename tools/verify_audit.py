#!/usr/bin/env python3
"""Verify what the platform hands to an auditor, without trusting the platform.

Needs Python 3.11 and `cryptography`; nothing of the platform, no database, no secret.

    verify_audit.py chain FOLDER --key ed25519:... [--checkpoints COPY] [--audit-keys F]
    verify_audit.py document FILE --key ed25519:...
    verify_audit.py bundle FILE.zip --key ed25519:...

``chain``: an export of the audit log. Every entry must name the one before it, the
running digest must be the one that each signed checkpoint and the signed manifest
state, and nothing that a checkpoint saw may be missing. ``--checkpoints`` is the
auditor's own copy of earlier checkpoints (a file or a folder): it shows a chain that
was rewritten as a whole. ``--audit-keys`` is a file of lines ``id:key``, with which
each entry's own keyed digest is recomputed as well.
``document``: a signed JSON file, such as a certificate of erasure.
``bundle``: an evidence ZIP: signature of the manifest, digest of each file, the chain.

Prints JSON. Exit status: 0 verified, 1 something is wrong, 2 wrong use.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

DOMAIN = b"pixelated-empathy public audit digest v1|"
OPENING, MIDDLE = b'{"digest":"', b'","entry":'
MANIFEST, CHECKPOINTS, BUNDLE_CHAIN = "manifest.json", "checkpoints.jsonl", "audit/"


class Refuted(Exception):
    """The evidence is not what it claims to be."""


def canonical(value):
    """RFC 8785 for what we sign: objects, lists, text, whole numbers, true, false."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        parts = (canonical(name) + b":" + canonical(value[name]) for name in names)
        return b"{" + b",".join(parts) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(canonical, value)) + b"]"
    if isinstance(value, float):
        raise Refuted("A signed document holds a number that is not whole.")
    return json.dumps(value, ensure_ascii=False).encode()


def is_signed(content, key):
    """Whether the signature covers all the rest of the document."""
    rest = {name: value for name, value in content.items() if name != "signature"}
    try:
        raw = bytes.fromhex(content["signature"].removeprefix("ed25519:"))
        owner = Ed25519PublicKey.from_public_bytes(
            bytes.fromhex(key.removeprefix("ed25519:"))
        )
        owner.verify(raw, canonical(rest))
    except (KeyError, AttributeError, ValueError, InvalidSignature):
        return False
    return True


def read_json(path):
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise Refuted(f"{path.name} is missing or is not JSON.") from error
    if not isinstance(content, dict):
        raise Refuted(f"{path.name} is not a JSON object.")
    return content


def read_signed(path, key):
    content = read_json(path)
    if not is_signed(content, key):
        raise Refuted(f"{path.name}: the signature is wrong for this key.")
    return content


def checkpoint_lines(source):
    """Lines of a file, or of all files of a folder in the order of their names."""
    if source.is_dir():
        files = sorted(source.glob("checkpoint-*.json"))
        return [path.read_bytes().strip() for path in files]
    return [line for line in source.read_bytes().splitlines() if line.strip()]


def read_checkpoints(source, key, is_whole):
    """What checkpoints saw: {chain: {sequence: (digest, public)}}, and two counts.

    A line from before Ed25519 can be checked by the platform alone: what it says must
    still hold, but it proves nothing and is counted apart.
    """
    witnessed, signed, unproven, previous = {}, 0, 0, b""
    for number, line in enumerate(checkpoint_lines(source), start=1):
        try:
            content = json.loads(line)
            heads = content["heads"]
        except (ValueError, KeyError, TypeError) as error:
            raise Refuted(f"Checkpoint {number} cannot be read.") from error
        if str(content.get("signature")).startswith("hmac-sha256:"):
            unproven += 1
        elif not is_signed(content, key):
            raise Refuted(f"Checkpoint {number}: the signature is wrong.")
        else:
            signed += 1
        before = f"sha256:{hashlib.sha256(previous).hexdigest()}" if previous else ""
        if is_whole and content.get("previous", before) != before:
            raise Refuted(f"A line before checkpoint {number} is missing.")
        note_heads(witnessed, heads)
        previous = line
    return witnessed, signed, unproven


def note_heads(witnessed, heads):
    for name, head in heads.items():
        seen = (head["digest"], head.get("public"))
        known = witnessed.setdefault(name, {}).setdefault(head["sequence"], seen)
        if known[0] != seen[0] or (known[1] and seen[1] and known[1] != seen[1]):
            where = f"{name}#{head['sequence']}"
            raise Refuted(f"Two checkpoints disagree about {where}: rewritten.")


def verify_chain(name, path, stated, witnessed, audit_keys):
    """One file of lines against the manifest and the checkpoints; entries read."""
    public = hashlib.sha256(DOMAIN + name.encode()).digest()
    previous, count, waiting = "", 0, dict(witnessed)
    waiting.pop(0, None)
    try:
        stream = path.open("rb")
    except OSError as error:
        raise Refuted(f"{name}: its file {path.name} is missing.") from error
    with stream:
        for raw in stream:
            line = raw.rstrip(b"\n")
            count += 1
            previous = verify_line(line, name, count, previous, audit_keys)
            public = hashlib.sha256(public + line).digest()
            seen = waiting.pop(count, None)
            if seen and (seen[0] != previous or seen[1] not in (None, public.hex())):
                raise Refuted(
                    f"{name}#{count}: a checkpoint saw another entry here or before."
                )
    if waiting:
        raise Refuted(f"{name}: a checkpoint saw entry {min(waiting)}, which is gone.")
    found = (count, previous, public.hex())
    if found != (stated["entries"], stated["digest"], stated["public"]):
        raise Refuted(f"{name}: the entries are not those that the manifest states.")
    return count


def verify_line(line, chain, number, previous, audit_keys):
    """One entry in its place; its digest."""
    where = f"{chain}#{number}"
    end = line.find(MIDDLE)
    if not line.startswith(OPENING) or end < 0 or not line.endswith(b"}"):
        raise Refuted(f"{where}: the line is damaged.")
    digest, content = (
        line[len(OPENING) : end].decode("ascii", "replace"),
        line[end + len(MIDDLE) : -1],
    )
    try:
        entry = json.loads(content)
        place = (entry["chain"], entry["sequence"], entry["previous_digest"])
    except (ValueError, KeyError, TypeError) as error:
        raise Refuted(f"{where}: the entry is damaged.") from error
    if place[1] != number:
        raise Refuted(f"{chain}: entry {number} is missing or out of order.")
    if place != (chain, number, previous):
        raise Refuted(f"{where} does not name the entry before it.")
    if audit_keys:
        key = audit_keys.get(entry.get("key_id"))
        if key is None:
            raise Refuted(f"{where}: no key {entry.get('key_id')} was given.")
        made = hmac.new(key, content, hashlib.sha256).hexdigest()
        if digest != f"hmac-sha256:{made}":
            raise Refuted(f"{where} was changed: its digest does not match.")
    return digest


def verify_export(folder, key, copies, audit_keys):
    """The whole export; what was verified, as JSON values."""
    started = time.perf_counter()
    manifest = read_signed(folder / MANIFEST, key)
    lines = (folder / CHECKPOINTS).read_bytes()
    if manifest["checkpoints"] != f"sha256:{hashlib.sha256(lines).hexdigest()}":
        raise Refuted("The checkpoints are not those that the manifest states.")
    witnessed, signed, unproven = read_checkpoints(folder / CHECKPOINTS, key, True)
    for copy in copies:
        own, more, _ = read_checkpoints(copy, key, False)
        signed += more
        for name, heads in own.items():
            for sequence, (digest, public) in heads.items():
                head = {"sequence": sequence, "digest": digest, "public": public}
                note_heads(witnessed, {name: head})
    for name, heads in witnessed.items():
        if name not in manifest["chains"] and any(heads):
            raise Refuted(f"The chain {name} is in a checkpoint but gone.")
    entries = {
        name: verify_chain(
            name,
            folder / Path(stated["file"]).name,
            stated,
            witnessed.get(name, {}),
            audit_keys,
        )
        for name, stated in manifest["chains"].items()
    }
    elapsed = time.perf_counter() - started
    return {
        "chains": entries,
        "entries": sum(entries.values()),
        "signed_checkpoints": signed,
        "checkpoints_only_the_platform_can_check": unproven,
        "each_entry_recomputed": bool(audit_keys),
        "made_at": manifest["made_at"],
        "seconds": round(elapsed, 3),
    }


def verify_bundle(path, key, copies, audit_keys):
    """An evidence ZIP: every file is the one that the signed manifest names."""
    with zipfile.ZipFile(path) as bundle, tempfile.TemporaryDirectory() as folder:
        names = bundle.namelist()
        unsafe = [n for n in names if n.startswith("/") or ".." in Path(n).parts]
        if unsafe or len(set(names)) != len(names):
            raise Refuted("The ZIP holds a name twice, or one that leaves its folder.")
        bundle.extractall(folder)
        root = Path(folder)
        manifest = read_signed(root / MANIFEST, key)
        stated = manifest["files"]
        if set(names) != {*stated, MANIFEST}:
            raise Refuted("The ZIP holds other files than its manifest names.")
        for name, digest in stated.items():
            with (root / name).open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
            if digest != f"sha256:{found}":
                raise Refuted(f"{name} is not the file that the manifest names.")
        chain = verify_export(root / BUNDLE_CHAIN, key, copies, audit_keys)
    return {"files": len(stated), "period": manifest["period"], "audit": chain}


def read_audit_keys(path):
    if path is None:
        return {}
    pairs = [line.partition(":") for line in path.read_text().split()]
    return {name: key.encode() for name, _, key in pairs}


def arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["chain", "document", "bundle"])
    parser.add_argument("path", type=Path)
    parser.add_argument("--key", required=True, help="public key, had from elsewhere")
    parser.add_argument("--checkpoints", type=Path, action="append", default=[])
    parser.add_argument("--audit-keys", type=Path)
    return parser.parse_args(argv)


def main(argv=None):
    given = arguments(argv)
    try:
        keys = read_audit_keys(given.audit_keys)
        if given.what == "document":
            found = {"document": read_signed(given.path, given.key)}
        else:
            verify = verify_export if given.what == "chain" else verify_bundle
            found = verify(given.path, given.key, given.checkpoints, keys)
    except (Refuted, OSError, KeyError, TypeError, zipfile.BadZipFile) as error:
        reason = str(error) if isinstance(error, Refuted) else f"unreadable: {error!r}"
        sys.stdout.write(json.dumps({"verified": False, "error": reason}) + "\n")
        return 1
    sys.stdout.write(json.dumps({"verified": True, **found}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
