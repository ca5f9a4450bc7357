"""Character noise of the kinds people type, by intent or by haste."""

from __future__ import annotations

import random
from collections.abc import Callable

_LEET = str.maketrans("aeiost", "431057")
_KEYBOARD = {"a": "s", "e": "r", "i": "o", "o": "p", "n": "m", "t": "r", "s": "d"}


def _slip(rng: random.Random, text: str) -> str:
    """Two neighbours changed places, or a letter lost, doubled or mistyped."""
    if len(text) < 6:
        return text
    letters = list(text)
    for _ in range(max(1, len(text) // 40)):
        place = rng.randrange(1, len(letters) - 1)
        kind = rng.randrange(4)
        if kind == 0:
            letters[place - 1 : place + 1] = letters[place], letters[place - 1]
        elif kind == 1:
            letters[place] = ""
        elif kind == 2:
            letters[place] *= 2
        else:
            letters[place] = _KEYBOARD.get(letters[place], letters[place])
        letters = list("".join(letters))
    return "".join(letters)


def _on_word(rng: random.Random, text: str, change: Callable[[str], str]) -> str:
    """``change`` made to up to a third of the longer words."""
    words = text.split(" ")
    long = [n for n, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    for number in rng.sample(long, min(len(long), 1 + len(long) // 3)):
        words[number] = change(words[number])
    return " ".join(words)


def noisy(rng: random.Random, text: str) -> str:
    """The text with one kind of noise."""
    kind = rng.randrange(6)
    if kind <= 2:
        return _slip(rng, text)
    if kind == 3:
        return _on_word(rng, text, lambda word: word.translate(_LEET))
    if kind == 4:
        return _on_word(rng, text, lambda word: word[0] + "*" + word[2:])
    return text.upper() if rng.random() < 0.5 else text.lower()
