"""Scores of turns already seen, by digest: a conversation's past is read once."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
CAPACITY = 4096


class Remembered:
    """A function of text with its last answers kept; safe to share among threads.

    Only a keyed digest of each text is held: the key is this process's own, so memory
    shows neither the words nor whether a guessed text was said.
    """

    def __init__(self, answer: Callable[[str], Floats]) -> None:
        self._answer = answer
        self._key = os.urandom(32)
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, Floats] = OrderedDict()

    def __call__(self, text: str) -> Floats:
        digest = self._digest(text)
        with self._lock:
            known = self._known.get(digest)
            if known is not None:
                self._known.move_to_end(digest)
                return known
        found = self._answer(text)
        self._keep(digest, found)
        return found

    def keep(self, text: str, answer: Floats) -> None:
        """Remembers an answer that is known already."""
        self._keep(self._digest(text), answer)

    def _digest(self, text: str) -> bytes:
        content = text.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(content, digest_size=16, key=self._key).digest()

    def _keep(self, digest: bytes, found: Floats) -> None:
        with self._lock:
            self._known[digest] = found
            if len(self._known) > CAPACITY:
                self._known.popitem(last=False)
