"""Reads signs of risk out of one text: phrases, and what their surroundings change.

Negation, other people, the past, talk about the topic and figures of speech soften a
sign; none of them removes it, since a wrong softening must not hide a person. Only the
classifier and the policy's thresholds turn the strength into a decision.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from apps.safety.contracts import Span
from apps.safety.gates.base import either
from apps.safety.gates.lexicons import crisis_cues as cues
from apps.safety.gates.lexicons import crisis_es
from apps.safety.gates.lexicons.crisis_en import MACROS, SIGNS
from apps.safety.gates.lexicons.crisis_figurative import FIGURATIVE
from apps.safety.gates.phrases import Hit, PhraseBook, book
from apps.safety.gates.text import Folded, clause_after, clause_before, fold

_SIGNS = PhraseBook(
    [*book(SIGNS, MACROS).phrases, *book(crisis_es.SIGNS, crisis_es.MACROS).phrases]
)
_IDIOMS = book(
    [("figurative", 1.0, FIGURATIVE), ("figurative", 1.0, crisis_es.FIGURATIVE)], MACROS
)

SOFTENED = {
    "figurative": 0.1,
    "negated": 0.35,
    "laughter": 0.45,
    "talk_about": 0.6,
    "past": 0.7,
    "other_person": 0.8,
}
# Signs that can stand for intent now; with an urgent time word they become imminent.
_ACUTE = frozenset({"active_ideation", "plan", "means", "attempt", "harm_to_others"})
_TOGETHER = ("active_ideation", "plan", "means", "attempt")


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign as it stands in its sentence; ``strength`` in [0, 1] after softening."""

    kind: str
    strength: float
    span: Span
    softeners: tuple[str, ...] = ()
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class Signs:
    """All signs of one text, and whether a figure of speech stands in it."""

    found: tuple[Sign, ...] = ()
    has_idiom: bool = False

    @property
    def strength(self) -> float:
        """The strongest sign, raised a little by each further kind of sign."""
        best: dict[str, float] = {}
        for sign in self.found:
            best[sign.kind] = max(best.get(sign.kind, 0.0), sign.strength)
        ranked = sorted(best.values(), reverse=True)
        if not ranked:
            return 0.0
        return either(ranked[0], *(0.3 * further for further in ranked[1:4]))

    @property
    def is_only_softened(self) -> bool:
        """Each sign, or the idiom instead of one, is figurative, negated or in fun."""
        light = {"figurative", "negated", "laughter"}
        return bool(self.found or self.has_idiom) and all(
            light & set(sign.softeners) for sign in self.found
        )

    @property
    def is_imminent(self) -> bool:
        """Intent now: an acute sign with a time, or several acute kinds together."""
        plain = [sign for sign in self.found if not sign.softeners]
        kinds = {sign.kind for sign in plain if sign.kind in _TOGETHER}
        return len(kinds) >= 3 or any(
            sign.kind in _ACUTE and sign.is_urgent for sign in plain
        )

    def kinds(self, floor: float = 0.0) -> tuple[str, ...]:
        return tuple(
            dict.fromkeys(sign.kind for sign in self.found if sign.strength >= floor)
        )


@lru_cache(maxsize=8)
def read_signs(text: str) -> Signs:
    """The signs in a text, in the order they stand.

    The last few answers are kept, since a turn is asked about by two gates and again
    as context of the next.
    """
    folded = fold(text)
    hits = _outermost(_SIGNS.find(folded.text))
    idioms = [(hit.start, hit.end) for hit in _IDIOMS.find(folded.text)]
    signs = [_sign(folded, hit, idioms) for hit in hits]
    found = tuple(sorted(signs, key=lambda sign: sign.span.start))
    return Signs(found, bool(idioms))


def _outermost(hits: Iterable[Hit]) -> list[Hit]:
    """One hit per sign and place: of overlapping hits of one sign, the longest."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if not any(
            other.sign == hit.sign and hit.start < other.end and other.start < hit.end
            for other in kept[-8:]
        ):
            kept.append(hit)
    return kept


def _sign(folded: Folded, hit: Hit, idioms: list[tuple[int, int]]) -> Sign:
    before = clause_before(folded.text, hit.start)
    after = clause_after(folded.text, hit.end)
    softeners = _softeners(folded.text, hit, (before, after), idioms)
    strength = hit.weight
    for softener in softeners:
        strength *= SOFTENED[softener]
    return Sign(
        hit.sign,
        strength,
        Span(*folded.origin(hit.start, hit.end), hit.sign),
        softeners,
        is_urgent=bool(cues.URGENT.search(before) or cues.URGENT.search(after))
        or bool(cues.URGENT.search(folded.text[hit.start : hit.end])),
    )


def _softeners(
    text: str,
    hit: Hit,
    around: tuple[str, str],
    idioms: list[tuple[int, int]],
) -> tuple[str, ...]:
    if any(start < hit.end and hit.start < end for start, end in idioms):
        return ("figurative",)
    before, after = around
    found = []
    if cues.NEGATED.search(before) and not cues.NOT_A_NEGATION.search(before):
        found.append("negated")
    if cues.LAUGHTER.search(after) and hit.sign != "plan":
        found.append("laughter")
    if cues.PAST.search(before) or cues.PAST.search(after):
        found.append("past")
    if cues.TALK_ABOUT.search(before) or cues.TALK_ABOUT.search(after):
        found.append("talk_about")
    if hit.sign != "abuse" and _is_about_another(before, text[hit.start : hit.end]):
        found.append("other_person")
    return tuple(found)


def _is_about_another(before: str, matched: str) -> bool:
    """Another person stands nearer before the sign than the speaker does."""
    if cues.FIRST_PERSON.match(matched):
        return False
    others = [match.start() for match in cues.OTHER_PERSON.finditer(before)]
    selves = [match.start() for match in cues.FIRST_PERSON.finditer(before)]
    return bool(others) and (not selves or others[-1] > selves[-1])
