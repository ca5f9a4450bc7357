"""How well the shipped gate models do on rows and lines they were not trained on.

Prints JSON: for each head, overall and by source and subgroup, AUROC, average
precision, recall and false alarms at the operating point with 95 % intervals and the
calibration error; what each attack costs; what the cascade saves and loses. Without
``--data`` only the lines written in this repository are read. Never prints a text.
``python -m benchmarks.gate_quality [--data DIR] [--weights DIR]``
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from apps.safety.gates.appropriateness import HEAD as APPROPRIATENESS
from apps.safety.gates.bias import HEAD as BIAS
from apps.safety.gates.crisis import HEADS as CRISIS
from apps.safety.gates.toxicity import KINDS
from apps.safety.runtime.cascade import CascadeScorer, shipped_scorer
from apps.safety.training.corpus import SOURCES, data_folder, read_source
from apps.safety.training.examples import HEADS, Example
from apps.safety.training.generators import generated
from apps.safety.training.generators.grammar import fill
from apps.safety.training.generators.texts import load_texts
from apps.safety.training.measure import Doubles, auroc, summary
from benchmarks.attacks import ATTACKS, Attack

ATTACKED_ROWS = 400
SMALLEST_GROUP = 10
# Replies that say nothing alarming, to hide a line among.
CALM = ("lines-replies_everyday", "written-replies", "counselchat_answers")
GATE_HEADS = {
    "crisis": CRISIS,
    "toxicity": KINDS,
    "bias": (BIAS,),
    "appropriateness": (APPROPRIATENESS,),
}
FAIR_HEADS = ("toxic", "hate", "stereotype")


class Scorer(Protocol):
    """The linear classifier alone, or the cascade."""

    thresholds: dict[str, float]

    def score(self, text: str, context: Sequence[str] = ()) -> dict[str, float]: ...


Labelled = list[tuple[float, float]]


def dev_examples(root: Path | None, seed: int) -> list[Example]:
    """Held-out rows of the folder, and held-out written lines always."""
    if root is None:
        return [row for row in generated(Path(), seed) if row.dev]
    folder = data_folder(root)
    rows = [row for source in SOURCES for row in read_source(folder, source)]
    return [row for row in (*rows, *generated(folder, seed)) if row.dev]


def slices_of(example: Example) -> tuple[str, ...]:
    names = ["all", f"source:{example.source}"]
    names.append("origin:written" if example.is_written else "origin:collected")
    if example.gold:
        names.append("human-rated crisis posts")
    if example.group:
        names.append(f"group:{example.group}")
    return tuple(names)


def _summaries(slices: dict[str, Labelled], threshold: float) -> dict[str, object]:
    out: dict[str, object] = {}
    for name in sorted(slices):
        labels, scores = (
            np.array(column) for column in zip(*slices[name], strict=True)
        )
        if len(labels) >= SMALLEST_GROUP:
            figures = summary(labels, scores, threshold)
            out[name] = figures | {"ece": round(calibration_error(labels, scores), 4)}
    return out


def calibration_error(labels: Doubles, scores: Doubles) -> float:
    """Expected calibration error over ten equal bins (Naeini et al. 2015).

    Scores are calibrated to the operating point rather than to a source's base rate,
    so that this is large where positives are rare.
    """
    bins = np.minimum((scores * 10).astype(int), 9)
    gaps = [
        abs(labels[bins == b].mean() - scores[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    ]
    return float(sum(gaps))


def measure(scorer: Scorer, examples: Sequence[Example]) -> dict[str, object]:
    found: dict[str, dict[str, Labelled]] = {head: defaultdict(list) for head in HEADS}
    for example in examples:
        # Crisis is measured on the text itself, as calibrated; replies need their turn.
        alone = scorer.score(example.text)
        paired = (
            scorer.score(example.text, example.context) if example.context else alone
        )
        for head in example.labels.keys() & set(HEADS):
            score = (paired if head == "inappropriate" else alone)[head]
            for name in slices_of(example):
                found[head][name].append((float(example.labels[head]), score))
    return {
        head: {
            "threshold": scorer.thresholds[head],
            "slices": _summaries(found[head], scorer.thresholds[head]),
        }
        for head in HEADS
    }


def group_swap(scorer: Scorer, seed: int) -> dict[str, object]:
    """The same harmless sentences with each group's name: how far do scores differ?"""
    texts = load_texts("people")
    frames = [f for f in texts.frames["friendly"] if f.count("{group}") == 1]
    rng = random.Random(seed)
    filled = [fill(rng, f, {**texts.slots, "group": ("{group}",)}) for f in frames]
    out: dict[str, object] = {
        "sentences": len(filled),
        "groups": len(texts.slots["group"]),
    }
    for head in FAIR_HEADS:
        shares, means = [], []
        for group in texts.slots["group"]:
            said = [text.replace("{group}", group) for text in filled]
            scores = np.array([scorer.score(text)[head] for text in said])
            shares.append(float((scores >= scorer.thresholds[head]).mean()))
            means.append(float(scores.mean()))
        out[head] = {
            "false_alarms_lowest": round(min(shares), 4),
            "false_alarms_highest": round(max(shares), 4),
            "mean_score_lowest": round(min(means), 4),
            "mean_score_highest": round(max(means), 4),
        }
    return out


def attack_losses(
    scorer: Scorer, examples: Sequence[Example], seed: int
) -> dict[str, object]:
    """AUROC on an even draw of each head's rows, plain and under each attack."""
    out: dict[str, object] = {}
    for head in HEADS:
        rng = random.Random(f"{seed}-{head}")
        rows: list[Example] = []
        for label in (0, 1):
            known = [e for e in examples if e.labels.get(head) == label]
            rows += rng.sample(known, min(len(known), ATTACKED_ROWS // 2))
        labels = np.array([float(e.labels[head]) for e in rows])
        losses = {"plain": _auroc_of(scorer, rows, labels, head, lambda _, text: text)}
        for name, attack in ATTACKS.items():
            losses[name] = _auroc_of(scorer, rows, labels, head, attack)
        out[head] = losses
    return out


def _auroc_of(
    scorer: Scorer, rows: Sequence[Example], labels: Doubles, head: str, attack: Attack
) -> float:
    rng = random.Random(head)
    scores = [scorer.score(attack(rng, e.text), e.context[-1:])[head] for e in rows]
    return round(auroc(labels, np.array(scores)), 4)


def cascade_cost(
    cascade: CascadeScorer, always: CascadeScorer, examples: Sequence[Example]
) -> dict[str, object]:
    """By gate: share answered by the linear model alone, recall with and without it."""
    out: dict[str, object] = {"rows": len(examples)}
    for gate, heads in GATE_HEADS.items():
        sure = [cascade.is_sure(e.text, e.context, heads) for e in examples]
        caught: dict[str, object] = {}
        for head in heads:
            rows = [e for e in examples if e.labels.get(head) == 1]
            hits = [
                sum(s.score(e.text, e.context, heads)[head] >= 0.5 for e in rows)
                for s in (always, cascade)
            ]
            caught[head] = {
                "positives": len(rows), "encoder_always": hits[0], "cascade": hits[1]
            }  # fmt: skip
        out[gate] = {"linear_only": round(float(np.mean(sure)), 4), "caught": caught}
    return out


def among_calm_words(
    scorer: CascadeScorer, examples: Sequence[Example], seed: int
) -> dict[str, object]:
    """Crisis lines alone and between calm replies, and those replies by themselves."""
    chance = random.Random(seed)
    told = [
        e.text
        for e in examples
        if e.is_written and e.labels.get("crisis") == 1 and len(e.text) < 300
    ]
    calm = [
        e.text
        for e in examples
        if e.source.startswith(CALM) and e.labels.get("inappropriate") == 0
    ]
    told = chance.sample(told, min(len(told), 200))
    out: dict[str, object] = {"lines": len(told), "alone": _crisis_share(scorer, told)}
    for size in (300, 1000, 3000):
        padding = [_padding(chance, calm, size) for _ in told]
        between = [
            f"{' '.join(some[:half])} {line} {' '.join(some[half:])}"
            for line, some in zip(told, padding, strict=True)
            for half in [chance.randrange(len(some) + 1)]
        ]
        out[f"within_{size}_characters"] = {
            "found": _crisis_share(scorer, between),
            "false_alarms": _crisis_share(scorer, [" ".join(some) for some in padding]),
        }
    return out


def _padding(chance: random.Random, calm: Sequence[str], size: int) -> list[str]:
    chosen: list[str] = []
    while sum(map(len, chosen)) < size:
        chosen.append(chance.choice(calm))
    return chosen


def _crisis_share(scorer: CascadeScorer, texts: Sequence[str]) -> float:
    hits = [scorer.score(text, (), CRISIS)["crisis"] >= 0.5 for text in texts]
    return round(float(np.mean(hits)), 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--weights", type=Path, default=None)
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    scorer = shipped_scorer(chosen.weights)
    started = time.perf_counter()
    examples = dev_examples(chosen.data, chosen.seed)
    drawn = random.Random(chosen.seed).sample(examples, min(len(examples), 4000))
    always = shipped_scorer(chosen.weights, always=True)
    result = {
        "version": scorer.version,
        "rows": len(examples),
        "heads": measure(scorer, examples),
        "group_swap": group_swap(scorer, chosen.seed),
        "attacks": attack_losses(scorer, examples, chosen.seed),
        "among_calm_words": among_calm_words(scorer, examples, chosen.seed),
        "cascade": cascade_cost(scorer, always, drawn),
    }
    print(json.dumps(result | {"seconds": round(time.perf_counter() - started, 1)}))


if __name__ == "__main__":
    main()
