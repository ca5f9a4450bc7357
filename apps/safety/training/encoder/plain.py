"""Which words are never part of a name, so that most talk needs no tagger.

Each marked name, place or organisation is put down to its rarest word: "the" is not to
blame for "the Shire". A word is plain when it is common in the training texts and
hardly ever to blame. One that is in a list of names is plain in lower case alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from apps.safety.gates.identifiers import gazetteer
from apps.safety.runtime.words import LOWER_ONLY, spoken
from apps.safety.training.encoder.tagger import Marked

LEAST_COUNT = 12
# Of a word's uses in marked sentences, the share in which it may make a name.
MOST_NAMED = 0.004
LISTS = ("given_names", "surnames", "places", "countries", "ambiguous_names")


def plain_words(marked: Sequence[Marked], texts: Iterable[str]) -> list[str]:
    """The plain words, sorted; ``texts`` need no marks and only tell what is common."""
    used = Counter(w for sentence in marked for _, _, w in spoken(sentence.text))
    common = used.copy()
    for text in texts:
        common.update(word for _, _, word in spoken(text))
    blamed: Counter[str] = Counter()
    for sentence in marked:
        for start, end, _ in sentence.spans:
            inside = [word for _, _, word in spoken(sentence.text, start, end)]
            if inside:
                blamed[min(inside, key=common.__getitem__)] += 1
    listed = frozenset().union(*(gazetteer.words(name) for name in LISTS))
    listed -= gazetteer.words("capitalised_words")
    return sorted(
        word + (LOWER_ONLY if word in listed else "")
        for word, count in common.items()
        if count >= LEAST_COUNT and blamed[word] <= MOST_NAMED * used[word]
    )
