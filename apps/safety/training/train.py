"""The whole of training: read, write contrast texts, fit, quantise, calibrate, measure.

Deterministic: equal data, seed and libraries give an equal digest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

from apps.safety.runtime.features import BUCKETS
from apps.safety.runtime.linear import LinearScorer
from apps.safety.training.calibrate import platt, threshold_at
from apps.safety.training.corpus import SOURCES, data_folder, read_source
from apps.safety.training.design import pair_matrix, text_matrix
from apps.safety.training.examples import FAMILIES, HEADS, Example
from apps.safety.training.fit import Matrix, Problem, fit
from apps.safety.training.generators import generated
from apps.safety.training.measure import summary
from apps.safety.training.package import tensors_of, write

Doubles = NDArray[np.float64]
Stages = Callable[[str, int], Callable[[], object]]

FALSE_ALARMS = {
    "crisis": 0.12,
    "crisis_high": 0.05,
    "violence": 0.03,
    "toxic": 0.10,
    "hate": 0.10,
    "threat": 0.03,
    "sexual": 0.03,
    "insult": 0.03,
    "stereotype": 0.15,
    "inappropriate": 0.15,
}


def read_examples(root: Path, seed: int, stages: Stages) -> list[Example]:
    """Every labelled row, then every generated one, in a fixed order."""
    folder = data_folder(root)
    tick = stages("read", len(SOURCES) + 1)
    examples: list[Example] = []
    for source in SOURCES:
        examples += read_source(folder, source)
        tick()
    examples += generated(seed)
    tick()
    return examples


def _problem(
    rows: sparse.csr_matrix, examples: Sequence[Example], heads: Iterable[str]
) -> tuple[Problem, NDArray[np.int64]]:
    names = tuple(heads)
    kept = [
        i
        for i, e in enumerate(examples)
        if not e.dev and any(e.weight_for(head) for head in names)
    ]
    chosen = [examples[i] for i in kept]
    sources = {
        name: n for n, name in enumerate(dict.fromkeys(e.source for e in chosen))
    }
    problem = Problem(
        rows=rows[kept],
        targets=np.array([[e.labels.get(h, 0) for h in names] for e in chosen], "f4"),
        weights=np.array([[e.weight_for(h) for h in names] for e in chosen], "f4"),
        sources=np.array([sources[e.source] for e in chosen]),
    )
    return problem, np.array(kept)


def fit_table(
    rows: sparse.csr_matrix, examples: Sequence[Example], stages: Stages
) -> tuple[Matrix, Matrix]:
    """(BUCKETS, heads + 1) weights, the last column for the turn before, and cross."""
    table = np.zeros((BUCKETS, len(HEADS) + 1), np.float32)
    tick = stages("fit", len(FAMILIES))
    cross = np.zeros(0, np.float32)
    for family, heads in FAMILIES.items():
        if family == "appropriateness":
            table[:, [-2, -1]], cross = _fit_pairs(rows, examples)
        else:
            problem, _ = _problem(rows, examples, heads)
            table[:, [HEADS.index(h) for h in heads]] = fit(problem)
        tick()
    return table, cross


def _fit_pairs(
    rows: sparse.csr_matrix, examples: Sequence[Example]
) -> tuple[Matrix, Matrix]:
    problem, kept = _problem(rows, examples, ("inappropriate",))
    pairs = pair_matrix([examples[i] for i in kept], lambda: None)
    joined = sparse.hstack([problem.rows, pairs], format="csr", dtype=np.float32)
    weights = fit(Problem(joined, problem.targets, problem.weights, problem.sources))[
        :, 0
    ]
    both = np.stack([weights[:BUCKETS], weights[BUCKETS : 2 * BUCKETS]], axis=1)
    return both, weights[2 * BUCKETS :]


def head_rows(
    examples: Sequence[Example], head: str
) -> tuple[list[int], Doubles, Doubles]:
    """Dev rows with a known label for the head, labels and weights."""
    kept = [i for i, e in enumerate(examples) if e.dev and e.weight_for(head)]
    labels = np.array([examples[i].labels[head] for i in kept], np.float64)
    return kept, labels, np.array([examples[i].weight_for(head) for i in kept])


def dev_logits(
    scorer: LinearScorer, examples: Sequence[Example], tick: object
) -> Matrix:
    """(examples, heads) served logits; rows of examples that are not dev stay 0."""
    out = np.zeros((len(examples), len(HEADS)), np.float32)
    for number, example in enumerate(examples):
        if example.dev:
            out[number] = scorer.logits(example.text, example.context)
    return out


def calibrate(
    logits: Matrix, examples: Sequence[Example]
) -> tuple[dict[str, dict[str, float]], dict[str, object]]:
    """Slope, offset and threshold of each head, and its dev figures."""
    heads: dict[str, dict[str, float]] = {}
    figures: dict[str, object] = {}
    for column, head in enumerate(HEADS):
        kept, labels, weights = head_rows(examples, head)
        raw = logits[kept, column].astype(np.float64)
        scale = platt(raw, labels, weights)
        scores = scale(raw)
        threshold = threshold_at(scores, labels, FALSE_ALARMS[head])
        heads[head] = {
            "slope": scale.slope,
            "offset": scale.offset,
            "threshold": threshold,
        }
        figures[head] = summary(labels, scores, threshold)
    return heads, figures


def train(root: Path, out: Path, seed: int, stages: Stages) -> dict[str, object]:
    """Trains on folder ``root``, writes weights to ``out``; returns the manifest."""
    examples = read_examples(root, seed, stages)
    rows = text_matrix([e.text for e in examples], stages("hash", len(examples)))
    tensors = tensors_of(*fit_table(rows, examples, stages))
    neutral = {h: {"slope": 1.0, "offset": 0.0, "threshold": 0.5} for h in HEADS}
    scheme = {"version": "uncalibrated", "heads": neutral}
    logits = dev_logits(LinearScorer(tensors, scheme), examples, None)
    heads, figures = calibrate(logits, examples)
    training = {
        "seed": seed,
        "examples": len(examples),
        "generated": sum(e.source.startswith("written-") for e in examples),
        "dev": figures,
    }
    return write(out, tensors, heads, training)
