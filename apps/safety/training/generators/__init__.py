"""Texts written for this project by grammar, to teach contrasts the corpora lack."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

from apps.safety.training.examples import Example
from apps.safety.training.generators.batches import batches
from apps.safety.training.generators.lines import lines
from apps.safety.training.generators.replies import pairs

SLUR_CATEGORIES = ("racial / ethnic slurs", "sexual orientation / gender")
SEXUAL_CATEGORY = "sexual anatomy / sexual acts"
SEVERE, EXPLICIT = 2.2, 1.8


def _lexicon(folder: Path) -> tuple[list[str], list[str]]:
    """Slurs and explicit words of the lexicon file; empty lists without it."""
    path = folder / "redaction" / "surge_profanity_lexicon.jsonl"
    if not path.exists():
        return [], []
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    slurs, sexual = [], []
    for row in rows:
        labels = row["labels"]
        if labels["category"] in SLUR_CATEGORIES and labels["severity"] >= SEVERE:
            slurs.append(row["text"])
        if labels["category"] == SEXUAL_CATEGORY and labels["severity"] >= EXPLICIT:
            sexual.append(row["text"])
    return slurs, sexual


def generated(folder: Path, seed: int, share: float = 1.0) -> Iterator[Example]:
    """Written examples, in a fixed order for a seed; ``share`` of the usual count."""
    slurs, sexual = _lexicon(folder)
    # Reproducible draws of training sentences, nothing secret.
    for planned in batches(slurs, sexual):
        batch = planned.scaled(share)
        yield from batch.examples(random.Random(f"{seed}-{batch.source}"))  # noqa: S311
    yield from pairs(random.Random(f"{seed}-replies"), share)  # noqa: S311
    yield from lines(seed, slurs)
