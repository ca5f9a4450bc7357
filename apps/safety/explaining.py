"""Which words moved a score: leave each out, ask again, and see how far it falls.

Occlusion works for any scorer and any gate, since it asks for nothing but scores. What
it gives back are positions: whoever may read the text can cut the words out of it, and
nobody else learns one. Deterministic; the number of questions is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from apps.safety.contracts import Gate, Inspection, TextScorer, Thresholds

_WORD = re.compile(r"\S+")
TOP = 5
MOST_QUESTIONS = 256
# Words that are left out together, as "kill myself" is, beside each alone.
_PHRASE_WORDS = (1, 2, 3)
_FAR_ENOUGH = 1e-4

Score = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Moved:
    """Half-open range in code points of the original, and what it adds to the score.

    ``by`` in [-1, 1] is the score with the words less the score without them.
    """

    start: int
    end: int
    by: float


def explain_head(
    scorer: TextScorer,
    head: str,
    text: str,
    context: Sequence[str] = (),
    *,
    top: int = TOP,
) -> tuple[Moved, ...]:
    """The spans that raise one head of a scorer most; KeyError for an unknown head."""
    return explain(
        lambda said: scorer.score(said, context, (head,))[head], text, top=top
    )


def explain_gate(
    gate: Gate, inspection: Inspection, thresholds: Thresholds, *, top: int = TOP
) -> tuple[Moved, ...]:
    """The spans that raise a gate's score most, its phrases and rules included."""

    def score(said: str) -> float:
        verdict = gate.inspect(replace(inspection, text=said), thresholds)
        return verdict.score or 0.0

    return explain(score, inspection.text, top=top)


def explain(
    score: Score, text: str, *, top: int = TOP, most: int = MOST_QUESTIONS
) -> tuple[Moved, ...]:
    """At most ``top`` spans that do not overlap, the farthest moving first.

    Asks at most ``most`` questions: a long text is first tried in equal runs of words,
    and then only its most telling run is tried word by word.
    """
    words = [match.span() for match in _WORD.finditer(text)]
    if not words or top < 1:
        return ()
    whole, left = score(text), most - 1
    if len(words) * len(_PHRASE_WORDS) > left:
        run = -(-len(words) * 2 // left)
        runs = [words[i : i + run] for i in range(0, len(words), run)]
        coarse = _tried(score, text, whole, [(r[0][0], r[-1][1]) for r in runs])
        left = (left - len(runs)) // len(_PHRASE_WORDS)
        worst = sorted(coarse, key=_by_weight)[: max(1, left // run)]
        words = [w for w in words if any(m.start <= w[0] < m.end for m in worst)]
        words = words[:left]
    return _chosen(_tried(score, text, whole, _phrases(words)), top)


def _phrases(words: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Runs of one, two and three neighbouring words, as ranges of the text."""
    return [
        (words[first][0], words[first + length - 1][1])
        for length in _PHRASE_WORDS
        for first in range(len(words) - length + 1)
    ]


def _tried(
    score: Score, text: str, whole: float, ranges: Sequence[tuple[int, int]]
) -> list[Moved]:
    return [
        Moved(start, end, round(whole - score(text[:start] + text[end:]), 6))
        for start, end in ranges
    ]


def _chosen(tried: Sequence[Moved], top: int) -> tuple[Moved, ...]:
    """The farthest moving, no two overlapping; of equals, the shortest and first."""
    chosen: list[Moved] = []
    for one in sorted(tried, key=_by_weight):
        overlaps = any(m.start < one.end and one.start < m.end for m in chosen)
        if one.by > _FAR_ENOUGH and not overlaps:
            chosen.append(one)
    return tuple(chosen[:top])


def _by_weight(one: Moved) -> tuple[float, int, int]:
    return -one.by, one.end - one.start, one.start
