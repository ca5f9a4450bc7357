"""Sentences from templates with slots, in many registers, the same for the same seed.

Words are this project's own. A tenth of the templates is held out as dev, so that dev
figures speak about sentences whose frame was not trained on.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from apps.safety.training.examples import Example

Slots = Mapping[str, Sequence[str]]

_SLOT = re.compile(r"\{(\w+)\}")
_OPENERS = (
    "", "", "", "", "", "", "honestly ", "idk ", "so ", "hey, ", "hi. ", "um ",
    "ok so ", "i guess ", "lately ", "please help. ", "sorry to bother you but ",
    "not sure why but ", "tbh ", "look, ", "well ", "today ", "right now ",
)  # fmt: skip
_CLOSERS = (
    "", "", "", "", "", "", ".", ".", "!", "...", " lol", " tbh", " idk", " anymore",
    " :(", " i guess", ", you know?", " right now", " 😔", " 😭", " honestly",
)  # fmt: skip
_TEXT_SPEAK = {
    "you": "u", "are": "r", "your": "ur", "because": "cuz", "want to": "wanna",
    "going to": "gonna", "people": "ppl", "with": "w", "really": "rly", "please": "pls",
    "do not know": "dunno", "i am": "im", "to be": "2 be", "have to": "gotta",
    "and": "n",
}  # fmt: skip


def fill(rng: random.Random, template: str, slots: Slots) -> str:
    """The template with each {slot} replaced, slots inside fillers too."""
    for _ in range(6):
        if "{" not in template:
            break
        template = _SLOT.sub(lambda m: rng.choice(slots[m.group(1)]), template)
    return template


def roughened(rng: random.Random, text: str) -> str:
    """The same sentence as people type it: openers, text speak, a slipped letter."""
    text = rng.choice(_OPENERS) + text + rng.choice(_CLOSERS)
    if rng.random() < 0.15:
        for plain, short in _TEXT_SPEAK.items():
            text = re.sub(rf"\b{plain}\b", short, text)
    if rng.random() < 0.08 and len(text) > 12:
        place = rng.randrange(1, len(text) - 2)
        text = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return text


def is_held_out(template: str) -> bool:
    return zlib.crc32(template.encode()) % 10 == 3


@dataclass(frozen=True)
class Batch:
    """``count`` texts from ``templates``, all with the same labels."""

    source: str
    templates: Sequence[str]
    labels: Mapping[str, int]
    count: int
    slots: Slots = field(default_factory=dict)
    weight: float = 1.0
    rough: bool = True
    group: str = ""

    def scaled(self, share: float) -> Batch:
        """The batch with ``share`` of its sentences, at least one a template."""
        count = max(min(self.count, len(self.templates)), round(self.count * share))
        return replace(self, count=count)

    def examples(self, rng: random.Random) -> Iterator[Example]:
        seen: set[str] = set()
        for number in range(self.count):
            template = self.templates[number % len(self.templates)]
            text = fill(rng, template, self.slots)
            text = roughened(rng, text) if self.rough else text
            if text in seen:
                continue
            seen.add(text)
            yield Example(
                text=text,
                labels=self.labels,
                source=f"written-{self.source}",
                weight=self.weight,
                dev=is_held_out(template),
                group=self.group,
            )
