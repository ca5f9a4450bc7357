"""Dataset rows to token ids by split, and the order in which training meets them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.utils.data import Dataset

from apps.core.errors import InvalidInput
from apps.models_registry.contracts import DatasetRow


@dataclass(frozen=True, slots=True)
class Texts:
    """Token ids and label of each text, in the dataset's order."""

    ids: tuple[tuple[int, ...], ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Rows:
    """What a dataset holds: texts with their category, by split."""

    labels: tuple[str, ...]
    train: tuple[tuple[str, str], ...]
    dev: tuple[tuple[str, str], ...]


def read_rows(rows: Iterable[DatasetRow]) -> Rows:
    """Reads once; InvalidInput when the dataset does not fit."""
    splits: dict[str, list[tuple[str, str]]] = {"train": [], "dev": []}
    for row in rows:
        if _field(row, "split") in splits:
            pair = _field(row, "text"), _field(row, "category")
            splits[_field(row, "split")].append(pair)
    labels = tuple(sorted({label for _, label in splits["train"]}))
    if len(labels) < 2:
        raise InvalidInput("The train split needs at least two categories.")
    strange = sorted({label for _, label in splits["dev"]} - set(labels))
    if strange:
        raise InvalidInput(f"No row of the train split has category {strange[0]!r}.")
    return Rows(labels, tuple(splits["train"]), tuple(splits["dev"]))


def _field(row: DatasetRow, name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"Each row needs a non-empty {name!r}.")
    return value


def tokenised(
    pairs: Sequence[tuple[str, str]],
    labels: Sequence[str],
    tokenizer: Tokenizer,
    longest: int,
) -> Texts:
    """Ids of each text, cut at ``longest`` tokens."""
    tokenizer.enable_truncation(longest)
    tokenizer.no_padding()
    encoded = tokenizer.encode_batch([text for text, _ in pairs])
    return Texts(
        tuple(tuple(one.ids) for one in encoded),
        tuple(labels.index(label) for _, label in pairs),
    )


class WholeTraining(Dataset[dict[str, object]]):
    """Every epoch after the other, each in an order of its own.

    Laid out in advance, so that step n meets the same rows whether or not the run was
    killed before it: the trainer has nothing to shuffle.
    """

    def __init__(self, texts: Texts, epochs: int, seed: int) -> None:
        self._texts = texts
        self._order = np.concatenate(
            [
                np.random.default_rng((seed, epoch)).permutation(len(texts))
                for epoch in range(epochs)
            ]
        )

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, place: int) -> dict[str, object]:
        row = int(self._order[place])
        return {"ids": self._texts.ids[row], "label": self._texts.labels[row]}


def batch_of(rows: Sequence[dict[str, Any]], padding: int) -> dict[str, Tensor]:
    """Ids and mask of (texts, tokens) int64, padded right, and labels of (texts,)."""
    length = max(len(row["ids"]) for row in rows)
    ids = torch.full((len(rows), length), padding, dtype=torch.int64)
    mask = torch.zeros((len(rows), length), dtype=torch.int64)
    for number, row in enumerate(rows):
        ids[number, : len(row["ids"])] = torch.tensor(row["ids"], dtype=torch.int64)
        mask[number, : len(row["ids"])] = 1
    labels = torch.tensor([row["label"] for row in rows], dtype=torch.int64)
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}
