"""Lines written one by one for this project, by clinicians' and moderators' categories.

Each file of ``texts/lines/`` holds ``[[set]]`` tables (labels and lines, slots
allowed), ``[[pair]]`` tables (a stereotyping sentence beside its neighbour, or good and
bad advice), and ``[[topic]]`` tables (turns with replies that help and that harm).
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from apps.core.errors import InvalidInput
from apps.safety.training.examples import HEADS, Example
from apps.safety.training.generators.grammar import fill, is_held_out, roughened

FOLDER = Path(__file__).resolve().parent / "texts" / "lines"
# The token tagger's templates and values: no labels for texts.
IDENTIFIERS = frozenset({"pii", "names", "places", "shapes"})
SLOTTED_DRAWS = 3
ROUGH = 0.35
TURNS_A_REPLY = 2
NOT_STEREOTYPED = {"stereotype": 0}
STEREOTYPED = {"stereotype": 1}

Slots = Mapping[str, Sequence[str]]


def _known(labels: Mapping[str, int], where: str) -> dict[str, int]:
    unknown = set(labels) - set(HEADS)
    if unknown or not set(labels.values()) <= {0, 1}:
        raise InvalidInput(f"{where}: labels must be 0 or 1 for {', '.join(HEADS)}.")
    return dict(labels)


def _drawn(rng: random.Random, line: str, slots: Slots) -> Iterator[str]:
    draws = SLOTTED_DRAWS if "{" in line else 1
    for _ in range(draws):
        text = fill(rng, line, slots)
        yield roughened(rng, text) if rng.random() < ROUGH else text


def _sets(
    rng: random.Random, name: str, content: Any, slots: Slots
) -> Iterator[Example]:
    for group in content.get("set", ()):
        labels = _known(group["labels"], f"{name}.toml {group['name']}")
        for line in group["lines"]:
            if "{slur}" in line and not slots.get("slur"):
                continue
            for text in _drawn(rng, line, slots):
                yield Example(
                    text,
                    labels,
                    f"lines-{name}-{group['name']}",
                    dev=is_held_out(line),
                    group=group.get("group", ""),
                    weight=float(content.get("weight", 1.0)),
                )


def _pairs(
    rng: random.Random, name: str, content: Any, slots: Slots
) -> Iterator[Example]:
    for number, pair in enumerate(content.get("pair", ())):
        source = f"pairs-{name}-{number}"
        if "more" in pair:
            dev = is_held_out(pair["more"])
            for key, labels in (("more", STEREOTYPED), ("less", NOT_STEREOTYPED)):
                text = fill(rng, pair[key], slots)
                yield Example(text, labels, source, weight=1.5, dev=dev)
        else:
            dev = is_held_out(pair["context"] + pair["bad"])
            for key, bad in (("good", 0), ("bad", 1)):
                labels = {"inappropriate": bad}
                yield Example(pair[key], labels, source, (pair["context"],), dev=dev)


def _topics(
    rng: random.Random, name: str, content: Any, slots: Slots
) -> Iterator[Example]:
    for topic in content.get("topic", ()):
        turns = topic["turns"]
        dev = is_held_out(topic["name"])
        for key, bad in (("good", 0), ("bad", 1)):
            for reply in topic[key]:
                for turn in rng.sample(turns, min(TURNS_A_REPLY, len(turns))):
                    yield Example(
                        fill(rng, reply, slots),
                        {"inappropriate": bad},
                        f"lines-{name}-{topic['name']}",
                        (fill(rng, turn, slots),),
                        dev=dev,
                        group=topic.get("group", ""),
                    )


def lines(seed: int, slurs: Sequence[str]) -> Iterator[Example]:
    """Every written line, in a fixed order for a seed; dev by line, pair or topic."""
    for path in sorted(FOLDER.glob("*.toml")):
        if path.stem in IDENTIFIERS:
            continue
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        slots = {**content.get("slots", {}), "slur": slurs}
        # Reproducible draws of training sentences, nothing secret.
        rng = random.Random(f"{seed}-{path.stem}")  # noqa: S311
        yield from _sets(rng, path.stem, content, slots)
        yield from _pairs(rng, path.stem, content, slots)
        yield from _topics(rng, path.stem, content, slots)
