"""Names of people, places and organisations by a small token tagger in ONNX Runtime."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from apps.core.digests import digest_bytes
from apps.core.errors import IntegrityFailure, Unavailable
from apps.safety.runtime.encoder import VOCABULARY, session
from apps.safety.runtime.linear import SHIPPED
from apps.safety.runtime.words import Window, Word, Words, is_plain

MANIFEST, WEIGHTS, PLAIN = "tagger.json", "tagger.onnx", "plain_words.txt"
SCHEME = "words-2"
KINDS = ("NAME", "LOCATION", "ORGANIZATION")

Floats = NDArray[np.float32]
Tagged = tuple[int, int, str, float]
_NOTHING = np.eye(1, len(KINDS) + 1, dtype=np.float32)
_JOINING = frozenset((" ", "-", "'", "\u2019", ". ", ".", " & "))


class Tagger:
    """``tag`` gives (start, end, kind, probability), in order, without overlaps.

    Words that are never part of a name need no model: a window of those alone is
    passed over (``words.is_plain``).
    """

    def __init__(
        self,
        model: bytes,
        vocabulary: str,
        manifest: dict[str, Any],
        plain: frozenset[str] = frozenset(),
    ) -> None:
        self._plain = plain
        self.version = str(manifest["version"])
        self._least = float(manifest["least"])
        tokenizer = Tokenizer.from_str(vocabulary)
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._words = Words(tokenizer)
        self._session = session(model)

    @classmethod
    def load(cls, directory: Path | None = None) -> Tagger:
        """The tagger in ``directory``, or the shipped one.

        Raises Unavailable when files are missing; IntegrityFailure when a digest or the
        scheme is not the manifest's.
        """
        where = directory or SHIPPED
        try:
            manifest = json.loads((where / MANIFEST).read_bytes())
            model = (where / WEIGHTS).read_bytes()
            vocabulary = (where / VOCABULARY).read_bytes()
            plain = (where / PLAIN).read_bytes()
        except FileNotFoundError as error:
            raise Unavailable(
                f"No tagger weights in {where.name}: run manage.py train_gates."
            ) from error
        found = [SCHEME, *map(digest_bytes, (model, vocabulary, plain))]
        names = ("scheme", "digest", "vocabulary", "plain")
        if found != [manifest.get(name) for name in names]:
            raise IntegrityFailure(
                "Tagger files do not match their manifest: restore all of them."
            )
        return cls(
            model, vocabulary.decode(), manifest, frozenset(plain.decode().split("\n"))
        )

    def tag(self, text: str) -> list[Tagged]:
        """Finds in a text of any length."""
        if is_plain(text, self._plain):
            return []
        words = self._words.split(text)
        best: dict[int, Floats] = {}
        for window in self._words.windows(words):
            ends = window.words[0].start, window.words[-1].end
            if is_plain(text, self._plain, *ends):
                rows = np.tile(_NOTHING, (len(window.words), 1))
            else:
                rows = self._chances(window)
            for word, chances in zip(window.words, rows, strict=True):
                known = best.get(word.start)
                # Of two windows, the one surer that something stands there counts.
                if known is None or chances[0] < known[0]:
                    best[word.start] = chances
        return list(self._joined(text, words, [best[word.start] for word in words]))

    def _chances(self, window: Window) -> Floats:
        """(words, kinds + 1) probabilities, nothing first."""
        ids = np.array([window.ids], np.int64)
        feed = {
            "ids": ids,
            "mask": np.ones_like(ids),
            "shapes": np.array([window.shapes], np.int64),
        }
        logits = cast(Floats, self._session.run(None, feed)[0])[0, window.openers]
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def _joined(
        self, text: str, words: Sequence[Word], chances: Sequence[Floats]
    ) -> Iterator[Tagged]:
        """Neighbouring words of one kind as one find."""
        open_: list[tuple[Word, float]] = []
        kind = -1
        for word, chance in zip(words, chances, strict=True):
            own = int(chance[1:].argmax()) if 1 - chance[0] >= self._least else -1
            # A mark is part of a name only between two of its words.
            if own >= 0 and not text[word.start].isalnum():
                own = -1
            gap = text[open_[-1][0].end : word.start] if open_ else ""
            if open_ and own == kind and gap in _JOINING:
                open_.append((word, float(1 - chance[0])))
            elif own >= 0:
                yield from _closed(open_, kind)
                open_, kind = [(word, float(1 - chance[0]))], own
            elif text[word.start].isalnum():
                yield from _closed(open_, kind)
                open_ = []
        yield from _closed(open_, kind)


def _closed(open_: Sequence[tuple[Word, float]], kind: int) -> Iterator[Tagged]:
    if open_:
        chance = sum(chance for _, chance in open_) / len(open_)
        yield open_[0][0].start, open_[-1][0].end, KINDS[kind], round(chance, 4)
