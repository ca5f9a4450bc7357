"""Texts made to break a reader of texts: the same for the same seed.

Every Unicode plane, lone surrogates, right-to-left and zero-width floods, stacked
marks, characters that grow when they are normalised, near misses of the gates' own
patterns repeated many times, and plain sentences with all that between their letters.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

PLAIN = (
    "I want to kill myself tonight", "my name is Maria Johnson", "call 212-555-0182",
    "you should stop taking your medication", "I live at 12 Oak Street, Springfield",
    "all women are too emotional", "quiero matarme esta noche", "write to a@b.example",
    "the doctor said I have bipolar disorder", "my mrn is 00482913",
)  # fmt: skip
# What the gates' patterns begin to match, over and over.
TRAPS = (
    "a", "A", "1", " ", "\n", "\t", ".", "-", "'", "@", "/", "(", "#", "_", "a ", "1 ",
    "1-", "1.", "a.", "a@", "a@b.", "@a ", "http://", "http://a.", "www.", "a'", "'a",
    "A ", "A. ", "Aa ", "Aa Bb ", "Dr. ", "my name is ", "i am ", "my ", "of the ",
    "I want to ", "want to ", "kill ", "die ", "kill my", "don't ",
    "do not want to be ",
    "you ", "you are ", "you are a ", "all the ", "all women are ", "five ", "one two ",
    "one at dot ", "at ", "dot ", "12 ", "12 Oak ", "12 Oak St ", "Oak Street, ", "NY ",
    "+1 (", "+44 ", "(212) ", "212-", "555-01", "1234 ", "4111 1111 ", "GB33 ", "AB12",
    "ssn ", "ssn: ", "mrn ", "account number ", "password ", "key ", "sk-", "id: a",
    "May ", "May 3, ", "03/", "2024-", "94 ", "94 years ", "van ", "de la ", "St. ",
    "P.O. ", "Apt ", "::", "2001:", "00:1B:", "1.2.3.", "IMG_", ".jpg ", "lol ", "ja",
    "not ", "no ", "if you ", "should ", "stop ", "because ", "doctor ", "they ",
    "\u200b", "\u202e", "\u2066", "\u0301", "a\u0301", "a\u0335\u0336", "\ufeff",
    "\u00ad", "\ufdfa", "\u0130", "\u00df", "\ufb03", "\u1e9e", "\u3300", "\U0001f62d",
    "\U0001f468\u200d\U0001f469\u200d", "\U0001f1fa", "\u0e33", "\uac00", "\u0430",
    "\ud800", "\udc00", "\udc00\ud800", "\x00", "\x1b[2J", "\u2028", "\u0085", "\uff21",
    "\U000e0041", "\u2800", "\u00bf", "{", "[", "\\", "%s", "$(", "<b>", "&#", "**",
)  # fmt: skip
BETWEEN = (
    "\u200b", "\u200d", "\u2060", "\u00ad", "\u202e", "\u202c", "\u0301", "\u0336",
    "\ufe0f", " ", ".", "-", "*", "\ud83d", "\x00", "\ufeff", "\u034f",
)  # fmt: skip


def hostile_texts(count: int, seed: int, longest: int) -> Iterator[str]:
    """``count`` texts of at most ``longest`` code points; most of them are short."""
    chance = random.Random(seed)
    kinds = (_noise, _flood, _flood, _woven, _woven, _mixed)
    for number in range(count):
        size = int(longest ** chance.uniform(0.1, 1.0))
        yield kinds[number % len(kinds)](chance, size)[:longest]


def _noise(chance: random.Random, size: int) -> str:
    """Any code points, surrogates among them."""
    top = chance.choice((0x7F, 0xFF, 0x24F, 0xFFFF, 0x10FFFF))
    return "".join(chr(chance.randint(0, top)) for _ in range(size))


def _flood(chance: random.Random, size: int) -> str:
    """One trap, or two in turn, repeated; sometimes with something real at the end."""
    unit = chance.choice(TRAPS)
    if chance.random() < 0.4:
        unit += chance.choice(TRAPS)
    tail = chance.choice(("", "", *PLAIN))
    return unit * max(1, (size - len(tail)) // len(unit)) + tail


def _woven(chance: random.Random, size: int) -> str:
    """Plain sentences with strange characters between their letters."""
    rate = chance.choice((0.02, 0.2, 0.9))
    out: list[str] = []
    length = 0
    while length < size:
        for char in chance.choice(PLAIN) + ". ":
            out.append(char)
            if chance.random() < rate:
                out.append(chance.choice(BETWEEN) * chance.choice((1, 1, 1, 8)))
            length += len(out[-1])
    return "".join(out)


def _mixed(chance: random.Random, size: int) -> str:
    """Traps, sentences and noise in any order."""
    out = ""
    while len(out) < size:
        part = chance.choice((_noise, _flood, _woven))
        out += part(chance, chance.randint(1, max(2, size // 3)))
    return out
