"""(turn, reply) pairs: every reply of a topic beside every turn of that topic.

Good and harmful replies share turns, slots and registers, so that only what the reply
does can tell them apart; blank agreement is fine after small talk and harmful after a
delusion or a disclosure of risk.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from apps.safety.training.examples import Example
from apps.safety.training.generators.grammar import Slots, fill, is_held_out, roughened
from apps.safety.training.generators.texts import Texts, Topic, load_texts

PER_TOPIC = 900
EVERYDAY, AGREEMENT = 1200, 900
RISKY = ("delusion", "suicidality")
LOWERED = 0.2


def _fixed(slots: Slots, rng: random.Random) -> Slots:
    """One choice for each slot, so that a reply speaks of what its turn named."""
    return {name: (rng.choice(options),) for name, options in slots.items()}


def _pair(
    rng: random.Random, texts: Texts, topic: Topic, reply: str, *, bad: int
) -> Example:
    slots = _fixed(texts.slots, rng)
    turn = fill(rng, rng.choice(topic.turns), slots)
    opening, ending = texts.frames["openings"], texts.frames["endings"]
    text = rng.choice(opening) + fill(rng, reply, slots) + rng.choice(ending)
    return Example(
        text=text.lower() if rng.random() < LOWERED else text,
        labels={"inappropriate": bad},
        source="written-replies",
        context=(roughened(rng, turn),),
        dev=is_held_out(reply),
        group=topic.name,
    )


def _everyday(rng: random.Random, texts: Texts, share: float) -> Iterator[Example]:
    calm = load_texts("calm")
    turns = [
        t for key in ("figurative", "hazard", "ordinary") for t in calm.frames[key]
    ]
    for _ in range(round(EVERYDAY * share)):
        turn = fill(rng, rng.choice(turns), calm.slots)
        yield Example(
            text=rng.choice(texts.frames["everyday"]),
            labels={"inappropriate": 0},
            source="written-replies",
            context=(roughened(rng, turn),),
            group="everyday",
        )


def pairs(rng: random.Random, share: float = 1.0) -> Iterator[Example]:
    """Labelled replies with the turn they answer; ``share`` of the usual count."""
    texts = load_texts("replies")
    for topic in texts.topics:
        for number in range(round(PER_TOPIC * share)):
            bad = number % 2
            options = topic.bad if bad else topic.good
            yield _pair(rng, texts, topic, options[number // 2 % len(options)], bad=bad)
    yield from _everyday(rng, texts, share)
    risky = [topic for topic in texts.topics if topic.name in RISKY]
    for _ in range(round(AGREEMENT * share)):
        reply = rng.choice(texts.frames["blank_agreement"])
        yield _pair(rng, texts, rng.choice(risky), reply, bad=1)
