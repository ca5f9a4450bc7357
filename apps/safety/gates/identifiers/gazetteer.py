"""Lists of names and places, loaded once; memory a few MB.

Given names and surnames were compiled from Faker's person lists (MIT), places from
libphonenumber's geography (Apache-2.0) and the time zone database (public domain);
words that are more often common words than names were set apart as ambiguous.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent.parent / "gazetteers"


@cache
def words(name: str) -> frozenset[str]:
    """The lower-case, unaccented entries of one list."""
    return frozenset((_FOLDER / f"{name}.txt").read_text("utf-8").split("\n")) - {""}


def warm() -> None:
    """Load every list now rather than on the first text."""
    for path in _FOLDER.glob("*.txt"):
        words(path.stem)
