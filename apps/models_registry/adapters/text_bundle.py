"""What every text classifier's bundle holds beside its weights.

``classifier.json`` names the labels in the order of the logits and how to run them;
``tokenizer.json`` is the Tokenizers format. Both are data: nothing here runs code out
of a bundle, and neither torch nor onnxruntime is imported.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from jsonschema import Draft202012Validator
from tokenizers import Tokenizer

from apps.models_registry.contracts import Prediction
from apps.models_registry.errors import ArtifactDamaged

Ids = npt.NDArray[np.int64]
SETTINGS_FILE = "classifier.json"
TOKENIZER_FILE = "tokenizer.json"
# The published form of classifier.json. Any: a JSON Schema.
SETTINGS_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["labels"],
    "properties": {
        "labels": {
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": 80},
            "minItems": 2,
            "maxItems": 1000,
            "uniqueItems": True,
        },
        "max_tokens": {"type": "integer", "minimum": 8, "maximum": 8192},
        "pad_id": {"type": "integer", "minimum": 0},
        "max_batch": {"type": "integer", "minimum": 1, "maximum": 256},
        "max_wait_ms": {"type": "number", "minimum": 0, "maximum": 100},
        "threads": {"type": "integer", "minimum": 1, "maximum": 64},
        "device": {"enum": ["cpu", "cuda"]},
    },
}


@dataclass(frozen=True, slots=True)
class ClassifierSettings:
    """``max_tokens`` a text, ``max_batch`` texts a run; a full run is waited for
    ``max_wait_ms`` under load."""

    labels: tuple[str, ...]
    max_tokens: int = 256
    pad_id: int = 0
    max_batch: int = 16
    max_wait_ms: float = 2.0
    threads: int = 1
    device: str = "cpu"


def read_settings(content: bytes) -> ClassifierSettings:
    """The settings of a bundle; ArtifactDamaged when they miss the schema."""
    try:
        document = json.loads(content)
    except ValueError as error:
        raise ArtifactDamaged(f"{SETTINGS_FILE} is not JSON in UTF-8.") from error
    problem = next(Draft202012Validator(SETTINGS_SCHEMA).iter_errors(document), None)
    if problem is not None:
        place = ".".join(map(str, problem.absolute_path)) or "document"
        raise ArtifactDamaged(f"{SETTINGS_FILE}, {place}: {problem.message}")
    return ClassifierSettings(**{**document, "labels": tuple(document["labels"])})


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token ids, mask and types of a batch, each (batch, length) int64."""

    ids: Ids
    mask: Ids
    types: Ids


class TextTokens:
    """Texts to arrays, padded to the longest of the batch."""

    def __init__(self, content: bytes, settings: ClassifierSettings) -> None:
        try:
            tokenizer = Tokenizer.from_str(content.decode())
        except Exception as error:  # the adapter boundary: the library raises Exception
            raise ArtifactDamaged(f"{TOKENIZER_FILE} cannot be read.") from error
        tokenizer.enable_truncation(settings.max_tokens)
        tokenizer.enable_padding(pad_id=settings.pad_id)
        self._tokenizer = tokenizer
        self._pad_id = settings.pad_id

    def encode(self, texts: Sequence[str]) -> Tokens:
        # A lone surrogate is no character, and the tokenizer refuses it.
        clean = [text.encode("utf-8", "replace").decode() for text in texts]
        found = self._tokenizer.encode_batch(clean)
        if not any(one.ids for one in found):
            one_pad = np.full((len(found), 1), self._pad_id, np.int64)
            return Tokens(one_pad, np.ones_like(one_pad), np.zeros_like(one_pad))
        mask = np.array([one.attention_mask for one in found], np.int64)
        # A text without tokens reads as one pad: attention to nothing is no number.
        mask[mask.sum(axis=1) == 0, 0] = 1
        return Tokens(
            np.array([one.ids for one in found], np.int64),
            mask,
            np.array([one.type_ids for one in found], np.int64),
        )


def predictions_of(
    logits: npt.NDArray[Any], labels: Sequence[str], version_digest: str
) -> list[Prediction]:
    """One prediction a row of (batch, labels) logits; the best label is its text."""
    if logits.ndim != 2 or logits.shape[1] != len(labels):
        raise ArtifactDamaged(
            f"The model gives logits of shape {logits.shape}; {SETTINGS_FILE} names "
            f"{len(labels)} labels."
        )
    wide = logits.astype(np.float64)
    powers = np.exp(wide - wide.max(axis=1, keepdims=True))
    shares = powers / powers.sum(axis=1, keepdims=True)
    return [prediction_of(row, labels, version_digest) for row in shares]


def prediction_of(
    shares: npt.NDArray[Any], labels: Sequence[str], version_digest: str
) -> Prediction:
    """The prediction of one row of probabilities; IntegrityFailure unless finite."""
    if not np.isfinite(shares).all():
        raise ArtifactDamaged("The model gave numbers that are not finite.")
    # argmax takes the first of equal probabilities, so that answers repeat exactly.
    best = labels[int(shares.argmax())]
    return Prediction(
        text=best,
        labels={name: float(p) for name, p in zip(labels, shares, strict=True)},
        reply_id=best,
        model_version_digest=version_digest,
        elapsed_ms=0.0,
    )
