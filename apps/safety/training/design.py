"""Sparse design matrices over the served feature numbers.

Rows are exactly what the runtime sees, normalised block by block the same way, so that
a weight means the same in training and in serving.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

from apps.safety.runtime.cues import topics_of
from apps.safety.runtime.features import (
    BUCKETS,
    CROSS_BUCKETS,
    Passage,
    crossed,
    passages,
)
from apps.safety.training.examples import Example

Indices = NDArray[np.int64]
Values = NDArray[np.float32]
Row = tuple[Indices, Values]
Tick = Callable[[], object]


def _scaled(buckets: Indices) -> Row:
    kept = buckets[buckets > 0]
    scale = 1.0 / np.sqrt(max(1, len(kept)))
    return kept, np.full(len(kept), scale, np.float32)


def text_row(pieces: Sequence[Passage]) -> Row:
    """Buckets and values of a text: 1 / sqrt(features) within words, within chars."""
    words = _scaled(np.concatenate([p.words.ravel() for p in pieces]))
    chars = _scaled(np.concatenate([p.chars.ravel() for p in pieces]))
    return np.concatenate([words[0], chars[0]]), np.concatenate([words[1], chars[1]])


def stack(rows: Sequence[Row], width: int) -> sparse.csr_matrix:
    """(rows, width) float32."""
    ends = np.cumsum([0, *(len(buckets) for buckets, _ in rows)])
    indices = np.concatenate([buckets for buckets, _ in rows]).astype(np.int32)
    values = np.concatenate([values for _, values in rows])
    return sparse.csr_matrix((values, indices, ends), shape=(len(rows), width))


def text_matrix(texts: Sequence[str], tick: Tick) -> sparse.csr_matrix:
    """(texts, BUCKETS): the first two passages of each text."""
    rows: list[Row] = []
    for text in texts:
        rows.append(text_row(list(passages(text))[:2]))
        tick()
    return stack(rows, BUCKETS)


def _cross_row(reply: str, turn: str) -> Row:
    topics = topics_of(next(iter(passages(turn))).hashes)
    hashes = [p.hashes for p in passages(reply)]
    buckets = np.concatenate([crossed(h, topics) for h in hashes])
    count = 2 * len(topics) * sum(len(h) for h in hashes)
    scale = 1.0 / np.sqrt(max(1, count))
    return buckets, np.full(len(buckets), scale, np.float32)


def pair_matrix(examples: Sequence[Example], tick: Tick) -> sparse.csr_matrix:
    """(examples, BUCKETS + CROSS_BUCKETS): last turn, reply under its topics."""
    nothing: Row = (np.zeros(0, np.int64), np.zeros(0, np.float32))
    turns, crosses = [], []
    for example in examples:
        turn = example.context[-1] if example.context else ""
        turns.append(text_row(list(passages(turn))[:1]) if turn else nothing)
        crosses.append(_cross_row(example.text, turn) if turn else nothing)
        tick()
    parts = [stack(turns, BUCKETS), stack(crosses, CROSS_BUCKETS)]
    return sparse.hstack(parts, format="csr", dtype=np.float32)
