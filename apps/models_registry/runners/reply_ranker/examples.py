"""Dataset rows to arrays: messages by split, the reply library, and which fits which.

Order of rows decides order of training, so it is taken as the dataset gives it. Reads
each dataset once; keeps feature ids, never the messages' text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from apps.core.errors import InvalidInput
from apps.models_registry.contracts import DatasetRow
from apps.models_registry.text_features import FeaturiserConfig, features_of

Floats = npt.NDArray[np.float32]
# How sharply replies that share words with a message are preferred among the replies
# of its category. Chosen on the dev split of the demo data.
OVERLAP_TEMPERATURE = 0.15


@dataclass(frozen=True, slots=True)
class Reply:
    id: str
    category: str
    text: str


@dataclass(frozen=True, slots=True)
class Messages:
    """Feature ids by message, and each message's category as an index."""

    features: tuple[tuple[int, ...], ...]
    categories: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.categories)


@dataclass(frozen=True, slots=True)
class Examples:
    """``targets`` has shape (train messages, replies), float32, rows sum to 1."""

    labels: tuple[str, ...]
    replies: tuple[Reply, ...]
    reply_features: tuple[tuple[int, ...], ...]
    reply_categories: tuple[int, ...]
    train: Messages
    dev: Messages
    targets: Floats


def load_examples(
    messages: Iterable[DatasetRow],
    replies: Iterable[DatasetRow],
    config: FeaturiserConfig,
) -> Examples:
    """Everything the trainer needs; InvalidInput when the datasets do not fit it."""
    library = tuple(_reply(row) for row in replies)
    splits = _messages_by_split(messages, config)
    labels = tuple(sorted({reply.category for reply in library}))
    index = {label: number for number, label in enumerate(labels)}
    unanswered = sorted({c for rows in splits.values() for _, c in rows} - set(labels))
    if unanswered:
        raise InvalidInput(f"No reply in the library for category {unanswered[0]!r}.")
    if not splits.get("train"):
        raise InvalidInput("The messages dataset has no rows in its train split.")
    train = _indexed(splits["train"], index)
    reply_features = tuple(tuple(features_of(r.text, config)) for r in library)
    categories = tuple(index[reply.category] for reply in library)
    return Examples(
        labels=labels,
        replies=library,
        reply_features=reply_features,
        reply_categories=categories,
        train=train,
        dev=_indexed(splits.get("dev", []), index),
        targets=_targets(train, reply_features, categories, config.buckets),
    )


def _reply(row: DatasetRow) -> Reply:
    return Reply(*(_field(row, name) for name in ("id", "category", "text")))


def _field(row: DatasetRow, name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"Each row needs a non-empty {name!r}.")
    return value


def _messages_by_split(
    rows: Iterable[DatasetRow], config: FeaturiserConfig
) -> dict[str, list[tuple[tuple[int, ...], str]]]:
    splits: dict[str, list[tuple[tuple[int, ...], str]]] = {}
    for row in rows:
        split = _field(row, "split")
        if split in {"train", "dev"}:
            features = tuple(features_of(_field(row, "text"), config))
            splits.setdefault(split, []).append((features, _field(row, "category")))
    return splits


def _indexed(
    rows: Sequence[tuple[tuple[int, ...], str]], index: Mapping[str, int]
) -> Messages:
    return Messages(
        features=tuple(features for features, _ in rows),
        categories=tuple(index[category] for _, category in rows),
    )


def _targets(
    train: Messages,
    reply_features: Sequence[Sequence[int]],
    reply_categories: Sequence[int],
    buckets: int,
) -> Floats:
    """Softmax over the replies of a message's category, by rarity-weighted overlap."""
    rarity = _rarity([*train.features, *reply_features], buckets)
    replies = _unit_rows(reply_features, rarity)
    messages = _unit_rows(train.features, rarity)
    fit = np.exp((messages @ replies.T) / OVERLAP_TEMPERATURE)
    same = np.equal.outer(np.array(train.categories), np.array(reply_categories))
    fit = np.where(same, fit, 0.0)
    targets: Floats = (fit / fit.sum(axis=1, keepdims=True)).astype(np.float32)
    return targets


def _rarity(rows: Sequence[Sequence[int]], buckets: int) -> Floats:
    seen = Counter(code for row in rows for code in set(row))
    counts = np.array([seen.get(code, 0) for code in range(buckets)])
    rarity: Floats = np.log((1 + len(rows)) / (1 + counts)).astype(np.float32)
    return rarity


def _unit_rows(rows: Sequence[Sequence[int]], rarity: Floats) -> Floats:
    weights = np.zeros((len(rows), len(rarity)), dtype=np.float32)
    for number, row in enumerate(rows):
        codes = list(set(row))
        weights[number, codes] = rarity[codes]
    norms = np.linalg.norm(weights, axis=1, keepdims=True)
    unit: Floats = weights / np.maximum(norms, 1e-9)
    return unit
