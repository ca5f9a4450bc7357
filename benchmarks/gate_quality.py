"""How well the shipped gate classifier does on the dev rows of a labelled folder.

Prints JSON: for each head, overall and by source and subgroup, AUROC, average
precision, recall and false alarms at the operating point, each with a 95 % interval.
Never prints a text. ``python -m benchmarks.gate_quality --data DIR [--weights DIR]``
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from apps.safety.runtime.linear import LinearScorer
from apps.safety.training.corpus import SOURCES, data_folder, read_source
from apps.safety.training.examples import HEADS, Example
from apps.safety.training.generators import generated
from apps.safety.training.generators.grammar import fill
from apps.safety.training.generators.texts import load_texts
from apps.safety.training.measure import summary

SMALLEST_GROUP = 10
FAIR_HEADS = ("toxic", "hate", "stereotype")
Labelled = list[tuple[float, float]]


def dev_examples(root: Path, seed: int) -> list[Example]:
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
            out[name] = summary(labels, scores, threshold)
    return out


def measure(scorer: LinearScorer, examples: Sequence[Example]) -> dict[str, object]:
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


def group_swap(scorer: LinearScorer, seed: int) -> dict[str, object]:
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=None)
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    scorer = LinearScorer.load(chosen.weights)
    started = time.perf_counter()
    examples = dev_examples(chosen.data, chosen.seed)
    heads = measure(scorer, examples)
    seconds = round(time.perf_counter() - started, 1)
    result = {"version": scorer.version, "rows": len(examples), "seconds": seconds}
    swap = group_swap(scorer, chosen.seed)
    print(json.dumps(result | {"heads": heads, "group_swap": swap}, indent=1))


if __name__ == "__main__":
    main()
