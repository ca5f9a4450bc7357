"""Which written frames carry which labels, and how many sentences to draw from each.

Every harmful set stands beside a harmless one with the same words. Slurs are not
written in this repository: they come from the lexicon in the data folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from apps.safety.training.generators.grammar import Batch
from apps.safety.training.generators.texts import load_texts

Labels = Mapping[str, int]

TOXIC_HEADS = ("toxic", "hate", "threat", "sexual", "insult")
NO_RISK = {"crisis": 0, "crisis_high": 0}
CALM = {**NO_RISK, "violence": 0, **dict.fromkeys(TOXIC_HEADS, 0)}
MODERATE = CALM | {"crisis": 1}
HIGH = CALM | {"crisis": 1, "crisis_high": 1}
HATE = NO_RISK | {"toxic": 1, "hate": 1, "sexual": 0}
INSULT = CALM | {"toxic": 1, "insult": 1}
THREAT = NO_RISK | {"toxic": 1, "threat": 1, "violence": 1, "sexual": 0, "hate": 0}
VIOLENT = NO_RISK | {"toxic": 1, "threat": 1, "violence": 1, "sexual": 0}
SEXUAL = NO_RISK | {"sexual": 1, "toxic": 1, "hate": 0, "threat": 0, "violence": 0}
NOT_HATE = {"hate": 0, "sexual": 0}
FAIR = CALM | {"stereotype": 0}
STEREOTYPE = {"stereotype": 1, "sexual": 0, "crisis": 0}
NO_STEREOTYPE = {"stereotype": 0, "sexual": 0, "threat": 0, "crisis": 0, "hate": 0}

# frames -> (labels, sentences, weight of one)
Plan = Mapping[str, tuple[Labels, int, float]]
CRISIS: Plan = {
    "passive": (MODERATE, 1800, 1.0),
    "active": (MODERATE, 1800, 1.0),
    "planned": (HIGH, 1600, 1.0),
    "self_harm": (MODERATE, 900, 0.8),
    "others": (MODERATE, 500, 0.6),
    "abuse": (MODERATE, 700, 0.4),
}
CALM_PLAN: Plan = {
    "figurative": (CALM, 2200, 1.0),
    "hazard": (CALM, 2600, 1.0),
    "negated": (CALM, 700, 1.0),
    "bereaved": (CALM, 700, 1.0),
    "ordinary": (CALM, 1800, 1.0),
    "studied": (CALM, 900, 1.0),
    "helping": (CALM, 500, 0.7),
}
PEOPLE: Plan = {
    "hateful": (HATE, 5000, 1.0),
    "friendly": (FAIR, 5000, 1.0),
    "negated": (CALM, 1800, 1.0),
    "counter": (CALM, 2200, 1.0),
    "objects": (CALM, 700, 1.0),
    "other_targets": (NOT_HATE, 600, 1.0),
}
TOXICITY: Plan = {
    "insults": (INSULT, 1500, 1.0),
    "compliments": (CALM, 1300, 1.0),
    "threats": (THREAT, 2600, 1.0),
    "violent_prompts": (VIOLENT, 1500, 1.0),
    "peaceful": (CALM, 1800, 1.0),
    "sexual_texts": (SEXUAL, 1800, 1.0),
    "sexual_health": (CALM, 900, 1.0),
}
STEREOTYPES: Plan = {
    "stereotyped": (STEREOTYPE, 3000, 0.7),
    "not_stereotyped": (NO_STEREOTYPE, 3000, 0.7),
}
SLURS: Plan = {"slur_hate": (HATE, 1400, 1.0), "slur_quoted": (CALM, 800, 1.0)}
SAYINGS: Mapping[str, Labels] = {
    "risk": MODERATE,
    "no_risk": CALM,
    "menace": THREAT,
    "no_menace": CALM,
    "slurs_by_hint": HATE,
    "no_slurs_by_hint": CALM,
    "jabs": INSULT,
    "no_jabs": CALM,
    "lewd": SEXUAL,
    "no_lewd": CALM,
}
SAYING_VARIANTS = 5
STORIES: Plan = {
    "passive": (MODERATE, 500, 1.0),
    "active": (MODERATE, 500, 1.0),
    "planned": (HIGH, 400, 1.0),
}
GROUPED = ("people", "stereotypes")


def _planned(
    name: str, plan: Plan, more: Mapping[str, Sequence[str]]
) -> Iterator[Batch]:
    texts = load_texts(name)
    for key, (labels, count, weight) in plan.items():
        yield Batch(
            source=f"{name}-{key}",
            templates=texts.frames[key],
            labels=labels,
            count=count,
            slots={**more, **texts.slots},
            weight=weight,
            group="groups" if name in GROUPED else "",
        )


def _stories() -> Iterator[Batch]:
    """Disclosures inside a few sentences of a life."""
    texts = load_texts("crisis")
    for key, (labels, count, weight) in STORIES.items():
        templates = (
            f"{{story}}{{{key}}}.{{after}}",
            f"{{story}}{{story}}{{{key}}}.{{after}}",
        )
        slots = {**texts.slots, **texts.frames}
        yield Batch(
            f"story-{key}", templates, labels, count, slots, weight, rough=False
        )


def _sayings() -> Iterator[Batch]:
    frames = load_texts("sayings").frames
    for key, labels in SAYINGS.items():
        count = SAYING_VARIANTS * len(frames[key])
        yield Batch(f"saying-{key}", frames[key], labels, count)


def batches(slurs: Sequence[str], sexual: Sequence[str]) -> Iterator[Batch]:
    """Every batch; those needing the lexicon are left out when it is empty."""
    people = load_texts("people").slots
    yield from _planned("crisis", CRISIS, {})
    yield from _stories()
    yield from _planned("calm", CALM_PLAN, {})
    yield from _planned(
        "people", PEOPLE, {"hateful": load_texts("people").frames["hateful"]}
    )
    yield from _planned("stereotypes", STEREOTYPES, people)
    yield from _planned("toxicity", TOXICITY, people)
    yield from _sayings()
    if slurs and sexual:
        yield from _planned("toxicity", SLURS, {**people, "slur": slurs})
        lewd = ("{lewd}", "i want {lewd}", "give me {lewd}")
        yield Batch("sexual-words", lewd, SEXUAL, 800, {"lewd": sexual}, 0.5)
