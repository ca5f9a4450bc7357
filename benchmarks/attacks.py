"""Ways people disguise or garble a text, to see what each costs the gates."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

Attack = Callable[[random.Random, str], str]

_LEET = str.maketrans("aeiost", "431057")
# Cyrillic and Greek letters that look like Latin ones.
_LOOKALIKE = str.maketrans("aeopcxy", "\u0430\u0435\u043e\u0440\u0441\u0445\u0443")
_EMOJI = ("\U0001f600", "\U0001f62d", "\U0001f602", "\U0001f914")
_SPANISH = ("oye, ", "la verdad, ", "mira, ", "pues ")


def _on_words(change: Callable[[str], str], share: float) -> Attack:
    def attack(rng: random.Random, text: str) -> str:
        words = text.split(" ")
        return " ".join(
            change(w) if len(w) > 3 and rng.random() < share else w for w in words
        )

    return attack


def _typos(rng: random.Random, text: str) -> str:
    letters = list(text)
    for place in range(1, len(letters) - 1):
        if letters[place].isalpha() and rng.random() < 0.04:
            letters[place - 1], letters[place] = letters[place], letters[place - 1]
    return "".join(letters)


def _mixed_case(rng: random.Random, text: str) -> str:
    return "".join(c.upper() if rng.random() < 0.5 else c.lower() for c in text)


def _emoji(rng: random.Random, text: str) -> str:
    words = text.split(" ")
    return " ".join(
        f"{w} {rng.choice(_EMOJI)}" if rng.random() < 0.2 else w for w in words
    )


def _switched(rng: random.Random, text: str) -> str:
    return rng.choice(_SPANISH) + text


ATTACKS: Mapping[str, Attack] = {
    "leetspeak": _on_words(lambda w: w.translate(_LEET), 0.4),
    "look-alikes": lambda rng, text: text.translate(_LOOKALIKE),
    "zero-width": _on_words("\u200b".join, 1.0),
    "spacing": _on_words(" ".join, 0.2),
    "emoji": _emoji,
    "mixed case": _mixed_case,
    "typos": _typos,
    "code-switching": _switched,
}
