"""One spelling for many disguises, before anything is hashed.

Training and serving call the same function, so a disguise undone here is undone in
both. It is total over every Python string, linear in its length, and must never raise:
a gate that stops on a strange character can be switched off by typing one.
"""

from __future__ import annotations

import re
import unicodedata

from apps.safety.runtime.folding import FOLDING, SPACING, STARRED_WORDS

_LINK = re.compile(r"https?://\S+|www\.\S+|\[url\]")
_MENTION = re.compile(r"@\w{2,}|\[user\]|\[name\]")
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|#\d+);")
_STARRED = re.compile(r"(?<![a-z*])[a-z]{1,3}\*{1,3}[a-z]{1,6}(?![a-z*])")
_SPACED = re.compile(r"(?<![a-z0-9])(?:[a-z][ .\-_*/]){2,40}[a-z](?![a-z0-9])")
# Possessive, and starting only where a word starts: linear on any input.
_LEET = re.compile(r"(?<![a-z0-9@$!|])[a-z@$][a-z]*+[0134578@$!|][a-z0-9@$!|]*+")
_LEET_LETTERS = str.maketrans("0134578@$!|", "oieastbasil")
# Ligatures of whole phrases: one of them unfolds to up to 18 characters.
_WIDE = re.compile("[\ufdf0-\ufdff]")
_LONG_RUN = re.compile(r"(.)\1{2,}")
_NUMBER = re.compile(r"\d{3,}")
_LEET_LETTERS = str.maketrans("0134578@$!|", "oieastbasil")


def _unstar(match: re.Match[str]) -> str:
    pattern = re.compile(re.sub(r"\*+", "[a-z]{1,4}", match.group()) + "$")
    return next((w for w in STARRED_WORDS if pattern.match(w)), match.group())


def _unspace(match: re.Match[str]) -> str:
    return re.sub(r"[^a-z]", "", match.group())


def _unleet(match: re.Match[str]) -> str:
    word = match.group().rstrip("!|")
    stem = word.rstrip("0123456789")
    digits = sum(c.isdigit() for c in stem)
    if stem.isalpha() or not stem.strip("@$") or digits * 2 > len(stem):
        return match.group()
    return stem.translate(_LEET_LETTERS) + word[len(stem) :]


def normalise(text: str) -> str:
    """Lower-case words parted by spaces; of punctuation only ``? ! "`` are left.

    Undoes zero-width characters, compatibility and look-alike letters, digits and
    symbols standing for letters, spaced-out and starred words, and stretched letters;
    names emoji in words; folds links and mentions. Starts and ends with a space.
    """
    if not text.isascii():
        text = (
            unicodedata.normalize("NFKD", _WIDE.sub(" ", text))
            .lower()
            .translate(FOLDING)
        )
    text = text.lower()
    if "http" in text or "www." in text or "[url]" in text:
        text = _LINK.sub(" url ", text)
    if "@" in text or "[" in text:
        text = _MENTION.sub(_mention, text)
    if "&" in text:
        text = _ENTITY.sub(" ", text)
    if "*" in text:
        text = _STARRED.sub(_unstar, text)
    text = _LEET.sub(_unleet, text)
    text = _SPACED.sub(_unspace, text)
    text = _LONG_RUN.sub(r"\1\1", text)
    text = _NUMBER.sub("0", text)
    return f" {text.translate(SPACING)} "


def _mention(match: re.Match[str]) -> str:
    word = match.group()
    return word if word in ("@ss", "@sshole", "@sses") else " "
