"""Names and places written without capitals, as people do on a phone.

Lists alone would find a name in every other sentence, so a lower-case word counts only
behind words that announce a person or a place, or as a given name before a surname.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from apps.safety.gates.identifiers.found import Identifier
from apps.safety.gates.identifiers.gazetteer import words
from apps.safety.gates.text import fold

_NAME = r"([^\W\d_]{3,20}(?: [^\W\d_]\.)?(?: [^\W\d_][\w'-]{2,20})?)"
_PERSON = re.compile(
    r"\b(?:my (?:\w+ )?(?:friend|bestie|brother|sister|son|daughter|cousin|wife|"
    r"husband|partner|girlfriend|boyfriend|boss|manager|therapist|counsell?or|teacher|"
    r"psychiatrist|psychologist|doctor|roommate|neighbou?r|ex|uncle|aunt|niece|nephew|"
    r"coworker|colleague|stepdad|stepmom|sponsor|caseworker|fianc[eé]e?)|dr\.?|mrs?\.?|"
    r"ms\.?|spouse|"
    r"(?:boy|girl|man|woman|guy|kid|person|friend|someone) (?:called|named)|"
    rf"(?:record shows|patient|client|participant)) {_NAME}"
)
_PLACE = re.compile(
    r"\b(?:live|lives|living|lived|moved|moving|born|raised|grew up|based|staying|"
    r"reside|resides|hometown is) (?:\w+ )?(?:in|to|near|from|at|outside) "
    r"([^\W\d_]{4,20}(?: [^\W\d_]{3,20})?)"
)
_PAIR = re.compile(r"\b[^\W\d_]{3,20}(?= [^\W\d_]{3,20}\b)")


def lower_case(text: str) -> Iterator[Identifier]:
    """Finds in the lower-case parts of a text."""
    for match in _PERSON.finditer(text):
        found = _name_in(match.group(1), match.start(1))
        if found is not None:
            yield found
    for match in _PLACE.finditer(text):
        yield from _place_in(match.group(1), match.start(1))
    yield from _pairs(text)


def _name_in(name: str, start: int) -> Identifier | None:
    """The announced name, if its first word is listed and no common word."""
    if not name[0].islower():
        return None
    parts = [fold(part).text for part in name.split(" ")]
    if not _is_listed(parts[0]):
        return None
    length = len(name) if _is_listed(parts[-1]) else len(name.split(" ", 1)[0])
    return Identifier(start, start + length, "NAME", 0.75)


def _place_in(name: str, start: int) -> Iterator[Identifier]:
    for candidate in (name, name.split(" ", 1)[0]):
        plain = fold(candidate).text
        if candidate.islower() and plain in words("places"):
            yield Identifier(start, start + len(candidate), "LOCATION", 0.55)
            return


def _pairs(text: str) -> Iterator[Identifier]:
    given, family = words("given_names"), words("surnames")
    for match in _PAIR.finditer(text):
        first = match.group()
        if not first.islower() or first not in given:
            continue
        end = match.end() + 1
        last = re.match(r"[^\W\d_]+", text[end : end + 21])
        if last is not None and last.group().islower() and last.group() in family:
            yield Identifier(match.start(), end + last.end(), "NAME", 0.6)


def _is_listed(plain: str) -> bool:
    return plain in words("given_names") or plain in words("surnames")
