"""Which examples one pass sees: quotas, contexts, character noise, length batches."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from apps.safety.runtime.pieces import Pieces
from apps.safety.training.encoder.noise import noisy
from apps.safety.training.examples import Example

# How often a pass draws each row of a source; sources not named are drawn once.
SHARES: Mapping[str, float] = {
    "cssrs_suicidewatch_human": 4.0,
    "cssrs_postlevel": 1.0,
    "goemotions_negatives_weak": 0.25,
    "davidson2017": 0.2,
    "edos_train": 0.4,
    "stormfront_vicomtech": 0.5,
    "implicit_hate_safenlp": 0.6,
    "wikitalk_context_toxicity": 0.4,
    "redditbias": 0.6,
    "seegull_tuples": 0.2,
    "winobias_counterfactual_probe": 0.2,
    "hh_harmless_pairs_weak": 0.2,
    "hatemojibuild": 2.0,
    "toxigen_safenlp": 1.5,
    "stereoset_dev_subset": 2.0,
    "synthetic_crisis_chat": 1.5,
    "diasafety": 1.5,
    "written": 0.25,
    "lines": 3.0,
    "pairs": 2.0,
}
NOISE, STRAY_CONTEXT = 0.12, 0.2
BATCH_TOKENS = 2400
POOL = 40  # batches whose rows are sorted by length together


@dataclass(frozen=True)
class Row:
    """Token ids and types, and which example they came from."""

    ids: list[int]
    types: list[int]
    example: Example


def merged(examples: Sequence[Example]) -> list[Example]:
    """Rows of the same text and context as one example with all their labels."""
    found: dict[tuple[str, tuple[str, ...]], Example] = {}
    for example in examples:
        key = (example.text, example.context)
        known = found.get(key)
        if known is None:
            found[key] = example
        else:
            labels = {**known.labels, **example.labels}
            weights = {**known.weights, **example.weights}
            dev = known.dev or example.dev
            found[key] = replace(known, labels=labels, weights=weights, dev=dev)
    return list(found.values())


def family(source: str) -> str:
    return source if source in SHARES else source.partition("-")[0]


def one_pass(
    rng: random.Random, examples: Sequence[Example], scale: float
) -> list[Example]:
    """Examples of one pass, shuffled; fractional shares by lot."""
    drawn = []
    for example in examples:
        share = SHARES.get(family(example.source), 1.0) * scale
        times = int(share) + (rng.random() < share % 1)
        drawn += [example] * times
    rng.shuffle(drawn)
    return drawn


def rows_of(
    rng: random.Random, pieces: Pieces, drawn: Sequence[Example]
) -> Iterator[Row]:
    """Encoded rows; some with noise, some after a turn that has nothing to do with
    them, so that what stood before does not by itself move a head."""
    turns = [e.context[-1] for e in drawn if e.context][:4000]
    for example in drawn:
        text = example.text
        context = example.context[-1] if example.context else ""
        is_reply = "inappropriate" in example.labels
        if turns and not context and not is_reply and rng.random() < STRAY_CONTEXT:
            context = rng.choice(turns)
        if rng.random() < NOISE:
            text = noisy(rng, text)
        windows = pieces.windows(text, context)
        ids, types = windows[rng.randrange(len(windows))]
        yield Row(ids, types, example)


def batches(rng: random.Random, rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Batches of similar length, of about BATCH_TOKENS tokens, in random order."""
    pool_size = POOL * 64
    made: list[list[Row]] = []
    for first in range(0, len(rows), pool_size):
        pool = sorted(rows[first : first + pool_size], key=lambda row: len(row.ids))
        batch: list[Row] = []
        for row in pool:
            if batch and (len(batch) + 1) * len(row.ids) > BATCH_TOKENS:
                made.append(batch)
                batch = []
            batch.append(row)
        made.append(batch)
    rng.shuffle(made)
    yield from made


def by_source(examples: Sequence[Example]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for example in examples:
        counts[family(example.source)] += 1
    return dict(counts)
