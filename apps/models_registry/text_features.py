"""Text to feature ids, the same at training and at serving: pure Python, no torch.

Words, word pairs and character n-grams are hashed into a fixed number of buckets, so no
vocabulary of what people wrote is stored with the model. Total over any Unicode text.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

FEATURISER_VERSION = "1"
PADDING = 0
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
# Longer texts are cut here (code points): features beyond it would not be kept anyway.
_MAX_TEXT = 8000


@dataclass(frozen=True, slots=True)
class FeaturiserConfig:
    """``buckets`` counts ids, the padding id 0 included."""

    buckets: int = 4096
    max_features: int = 384
    char_ngram: int = 4
    version: str = FEATURISER_VERSION

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def features_of(text: str, config: FeaturiserConfig) -> list[int]:
    """Feature ids in [1, buckets), at most ``max_features``, words first."""
    words = [
        word.replace("\u2019", "'")
        for word in _WORD.findall(
            unicodedata.normalize("NFKC", text[:_MAX_TEXT]).casefold()
        )
    ]
    ids: list[int] = []
    for gram in _grams(words, config.char_ngram):
        if len(ids) == config.max_features:
            break
        code = zlib.crc32(gram.encode("utf-8", "surrogatepass"))
        ids.append(1 + code % (config.buckets - 1))
    return ids


def _grams(words: Sequence[str], size: int) -> Iterator[str]:
    yield from (f"w:{word}" for word in words)
    yield from (f"p:{a} {b}" for a, b in pairwise(words))
    for word in words:
        padded = f"<{word}>"
        yield from (
            f"c:{padded[at : at + size]}" for at in range(len(padded) - size + 1)
        )


def feature_batch(
    texts: Sequence[str], config: FeaturiserConfig
) -> npt.NDArray[np.int64]:
    """Padded ids, shape (batch, length), int64; length is at least 1."""
    rows = [features_of(text, config) for text in texts]
    return pad(rows)


def pad(rows: Sequence[Sequence[int]]) -> npt.NDArray[np.int64]:
    """Rows of ids to one array, right-padded with ``PADDING``."""
    length = max((len(row) for row in rows), default=0) or 1
    batch = np.full((len(rows), length), PADDING, dtype=np.int64)
    for index, row in enumerate(rows):
        batch[index, : len(row)] = row
    return batch
