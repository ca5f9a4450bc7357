"""The compact encoder in ONNX Runtime: raw logits for every head in one pass.

It must never answer from bytes whose digest it did not check. One thread a call: a
serving process is one core's work, and more processes share the rest.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from apps.core.digests import digest_bytes
from apps.core.errors import IntegrityFailure, Unavailable
from apps.safety.runtime.linear import SHIPPED
from apps.safety.runtime.pieces import Pieces, Row

MANIFEST = "encoder.json"
WEIGHTS = "encoder.onnx"
VOCABULARY = "tokenizer.json"
SCHEME = "pieces-1"
WINDOWS_A_CALL = 8

Floats = NDArray[np.float32]


class Encoder:
    """``logits`` of a text after an optional turn; the worst window counts."""

    def __init__(self, model: bytes, vocabulary: str, manifest: dict[str, Any]) -> None:
        self.manifest = manifest
        self.version = str(manifest["version"])
        self.heads: tuple[str, ...] = tuple(manifest["heads"])
        tokenizer = Tokenizer.from_str(vocabulary)
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._pieces = Pieces(tokenizer)
        self._session = session(model)

    @classmethod
    def load(cls, directory: Path | None = None) -> Encoder:
        """The encoder in ``directory``, or the shipped one.

        Raises Unavailable when files are missing; IntegrityFailure when a digest or the
        scheme of pieces is not the manifest's.
        """
        where = directory or SHIPPED
        try:
            manifest = json.loads((where / MANIFEST).read_bytes())
            model = (where / WEIGHTS).read_bytes()
            vocabulary = (where / VOCABULARY).read_bytes()
        except FileNotFoundError as error:
            raise Unavailable(
                f"No encoder weights in {where.name}: run manage.py train_gates."
            ) from error
        found = (digest_bytes(model), digest_bytes(vocabulary))
        if found != (manifest["digest"], manifest["vocabulary"]):
            raise IntegrityFailure(
                "Encoder files do not match the digests in their manifest: restore all."
            )
        if manifest["scheme"] != SCHEME:
            raise IntegrityFailure(
                f"Encoder weights expect pieces {manifest['scheme']}, this release "
                f"makes {SCHEME}: train them again."
            )
        return cls(model, vocabulary.decode(), manifest)

    def logits(self, text: str, context: Sequence[str] = ()) -> Floats:
        """(heads,) uncalibrated logits, the highest of all windows."""
        return cast(Floats, self.each([text], context)[0])

    def each(self, texts: Sequence[str], context: Sequence[str] = ()) -> Floats:
        """(texts, heads) logits, each text after the same turn, in few calls."""
        turn = context[-1] if context else ""
        rows = [self._pieces.windows(text, turn) for text in texts]
        flat = [row for own in rows for row in own]
        parts = [
            self._run(flat[first : first + WINDOWS_A_CALL])
            for first in range(0, len(flat), WINDOWS_A_CALL)
        ]
        begins = np.cumsum([0, *(len(own) for own in rows[:-1])])
        return cast(Floats, np.maximum.reduceat(np.concatenate(parts), begins, axis=0))

    def _run(self, rows: Sequence[Row]) -> Floats:
        width = max(len(ids) for ids, _ in rows)
        ids = np.zeros((len(rows), width), np.int64)
        mask, types = np.zeros_like(ids), np.zeros_like(ids)
        for number, (own_ids, own_types) in enumerate(rows):
            ids[number, : len(own_ids)] = own_ids
            types[number, : len(own_ids)] = own_types
            mask[number, : len(own_ids)] = 1
        feed = {"ids": ids, "mask": mask, "types": types}
        return cast(Floats, self._session.run(None, feed)[0])


def session(model: bytes) -> Any:
    """An ONNX Runtime session on one thread of the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model, options, providers=["CPUExecutionProvider"]
    )
