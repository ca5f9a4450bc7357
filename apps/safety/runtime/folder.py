"""A Hugging Face folder as a classifier: safetensors only, local files only.

For second judges, never for a gate. It must never run code from the folder and never
answer from bytes whose digest it did not check.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from apps.core.digests import digest_bytes
from apps.core.errors import IntegrityFailure, Unavailable

WEIGHTS, CONFIG = "model.safetensors", "config.json"
LONGEST, STRIDE = 512, 64
WINDOWS_A_CALL = 8

Kind = Literal["text", "tokens"]


@dataclass(frozen=True, slots=True)
class TokenFind:
    """Half-open range in code points, the label without B-/I-, its probability."""

    start: int
    end: int
    label: str
    chance: float


class FolderModel:
    """Text or token classification over texts of any length, in windows of tokens."""

    def __init__(self, folder: Path, digest: str, kind: Kind) -> None:
        """Raises Unavailable when files are missing, IntegrityFailure for others than
        the digest names or for a folder that brings code of its own.
        """
        _check(folder, digest)
        import torch
        from transformers import (
            AutoModelForSequenceClassification,
            AutoModelForTokenClassification,
            AutoTokenizer,
        )

        family = {
            "text": AutoModelForSequenceClassification,
            "tokens": AutoModelForTokenClassification,
        }[kind]
        self._torch = torch
        local = {"local_files_only": True, "trust_remote_code": False}
        self._tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True, **local)
        # Any: transformers has no types of its own.
        model: Any = family.from_pretrained(folder, use_safetensors=True, **local)
        self._model = model.eval()
        config = self._model.config
        self.labels: tuple[str, ...] = tuple(
            str(config.id2label[number]) for number in range(config.num_labels)
        )
        self._is_multi = config.problem_type == "multi_label_classification"
        limit = getattr(config, "max_position_embeddings", LONGEST)
        # RoBERTa counts positions from its padding id on: two are not for tokens.
        self._longest = max(8, min(LONGEST, int(limit) - 2))

    def chances(self, text: str) -> dict[str, float]:
        """The highest probability of each label over the windows of a text."""
        found = dict.fromkeys(self.labels, 0.0)
        for logits, _ in self._windows(text):
            powers = logits.sigmoid() if self._is_multi else logits.softmax(-1)
            for label, chance in zip(self.labels, powers.tolist(), strict=True):
                found[label] = max(found[label], chance)
        return found

    def finds(self, text: str, least: float) -> list[TokenFind]:
        """Tokens whose label is not ``O`` with at least this probability, in order."""
        found: dict[tuple[int, int], TokenFind] = {}
        for logits, offsets in self._windows(text):
            chances = logits.softmax(-1)
            best = chances.max(-1)
            for (start, end), label, chance in zip(
                offsets, best.indices.tolist(), best.values.tolist(), strict=True
            ):
                name = self.labels[label]
                if end > start and name != "O" and chance >= least:
                    plain = name.split("-", 1)[-1]
                    one = TokenFind(start, end, plain, chance)
                    known = found.get((start, end), one)
                    found[start, end] = max(known, one, key=lambda find: find.chance)
        return sorted(found.values(), key=lambda find: (find.start, find.end))

    def _windows(self, text: str) -> Sequence[tuple[Any, list[tuple[int, int]]]]:
        """(logits, offsets) of each window; offsets are in code points."""
        # Half surrogate pairs are no text to a tokenizer; one "?" keeps positions.
        plain = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        plain = plain if len(plain) == len(text) else _replaced(text)
        rows = self._tokenizer(
            plain,
            truncation=True,
            max_length=self._longest,
            stride=min(STRIDE, self._longest // 4),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        out = []
        for ids, mask, offsets in zip(
            rows["input_ids"],
            rows["attention_mask"],
            rows["offset_mapping"],
            strict=True,
        ):
            with self._torch.inference_mode():
                logits = self._model(
                    input_ids=self._torch.tensor([ids]),
                    attention_mask=self._torch.tensor([mask]),
                ).logits[0]
            out.append((logits.float(), [(int(a), int(b)) for a, b in offsets]))
        return out


def _replaced(text: str) -> str:
    return "".join("?" if "\ud800" <= char <= "\udfff" else char for char in text)


def _check(folder: Path, digest: str) -> None:
    try:
        weights = (folder / WEIGHTS).read_bytes()
        config: Mapping[str, Any] = json.loads((folder / CONFIG).read_bytes())
    except FileNotFoundError as error:
        raise Unavailable(
            f"{folder.name} needs {CONFIG} and {WEIGHTS}; other formats are not read."
        ) from error
    except json.JSONDecodeError as error:
        raise IntegrityFailure(f"{CONFIG} of {folder.name} is not JSON.") from error
    if digest_bytes(weights) != digest:
        raise IntegrityFailure(
            f"{WEIGHTS} of {folder.name} is not of the given digest."
        )
    if "auto_map" in config or any(folder.glob("*.py")):
        raise IntegrityFailure(f"{folder.name} brings code of its own: refused.")
