"""How much of what identifies a person the rules find, on held-out sentences.

Sources: this project's templates that are held out, filled anew, and the dev rows of
the labelled folder where there is one. Never prints a text. A gold span counts as
found when at least half its characters are masked, a mark as right when at least half
of it lies in gold spans, and a value as left when it still stands whole in what is
delivered after privacy and redaction.
``python -m apps.safety.training.measure_identifiers [--data DIR] [--rounds N]``
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from apps.safety.contracts import Span
from apps.safety.gates.identifiers.detect import find_identifiers
from apps.safety.gates.identifiers.gazetteer import warm
from apps.safety.gates.identifiers.second_opinion import second_opinion
from apps.safety.masking import mask
from apps.safety.runtime.tagger import Tagger
from apps.safety.training.corpus import data_folder
from apps.safety.training.generators.identities import Mark, filled

# The default policy's threshold for both stages.
THRESHOLD = 0.5
# Labels that name no person's identifier, or a place in a product.
NOT_IDENTIFIERS = frozenset({"TITLE", "SYSTEM", "EVENT", "WORK", "PRODUCT", "BANK"})
# What the sources call a kind, and what the gates do.
KINDS = {
    "PERSON": "NAME", "ORG": "ORGANIZATION", "DATE_TIME": "DATE", "DOB": "DATE",
    "CARD": "CREDIT_CARD", "IP": "IP_ADDRESS", "LICENSE": "DRIVER_LICENSE",
    "DRIVER_LICENSE_NUM": "DRIVER_LICENSE", "DEVICE": "DEVICE_ID", "ZIP": "ZIP_CODE",
    "HEALTH_PLAN": "HEALTH_PLAN_ID", "INSURANCE_ID": "HEALTH_PLAN_ID",
    "PROVIDER": "PROVIDER_ID", "NPI": "PROVIDER_ID", "NATIONAL_ID": "SSN",
    "PATIENT_ID": "MRN", "ACCOUNT_NUMBER": "ACCOUNT", "PAN": "SSN", "TAX_ID": "SSN",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A text and the identifiers in it; ``kind`` of a mark as its source calls it."""

    source: str
    text: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of one text."""

    case: Case
    found: tuple[bool, ...]
    left: tuple[bool, ...]
    made: tuple[tuple[str, bool], ...]


def written_cases(rounds: int, seed: int, *, held_out: bool = True) -> Iterator[Case]:
    """The templates, filled ``rounds`` times."""
    rng = random.Random(seed)  # noqa: S311
    for _ in range(rounds):
        for text, marks in filled(rng, held_out=held_out):
            yield Case("written", text, marks)


def labelled_cases(root: Path) -> Iterator[Case]:
    """The dev rows of the labelled folder's ``pii`` files."""
    for path in sorted((data_folder(root) / "pii").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["split"] == "dev":
                spans = row["labels"]["spans"]
                marks = [(s["start"], s["end"], s["type"]) for s in spans]
                kept = (mark for mark in marks if mark[2] not in NOT_IDENTIFIERS)
                yield Case(path.stem, row["text"], tuple(sorted(kept)))


def judged(case: Case) -> Outcome:
    """What the two gates mask at the default threshold, against the gold spans."""
    spans = _spans(case.text)
    delivered = mask(case.text, spans)
    delivered = mask(delivered, _spans(delivered))
    edges = [(span.start, span.end) for span in spans]
    gold = [mark[:2] for mark in case.marks]
    return Outcome(
        case,
        tuple(_is_half_in(edge, edges) for edge in gold),
        tuple(_stands(case.text[start:end], delivered) for start, end in gold),
        tuple((s.type, _is_half_in((s.start, s.end), gold)) for s in spans),
    )


def _spans(text: str) -> list[Span]:
    found = find_identifiers(text, second_opinion(), _tagger())
    return [Span(i.start, i.end, i.kind) for i in found if i.confidence >= THRESHOLD]


@cache
def _tagger() -> Tagger:
    return Tagger.load()


def _is_half_in(edge: tuple[int, int], others: Iterable[tuple[int, int]]) -> bool:
    start, end = edge
    shared = sum(max(0, min(end, stop) - max(start, first)) for first, stop in others)
    return 2 * shared >= end - start


def _stands(value: str, delivered: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(value)}(?!\w)", delivered) is not None


def figures(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Recall, precision and F2 (beta 2), overall and by kind, and the share left."""
    found, gold, right, made, labels, hits = (Counter[str]() for _ in range(6))
    for outcome in outcomes:
        for (_start, _end, label), hit in zip(
            outcome.case.marks, outcome.found, strict=True
        ):
            kind = KINDS.get(label, label)
            labels[label] += 1
            hits[label] += hit
            gold[kind] += 1
            found[kind] += hit
        for kind, hit in outcome.made:
            made[kind] += 1
            right[kind] += hit
    left = sum(sum(outcome.left) for outcome in outcomes)
    return {
        "texts": len(outcomes),
        "overall": _row(found.total(), gold.total(), right.total(), made.total()),
        "left_in_delivered": _share(left, gold.total()),
        "by_kind": {
            kind: _row(found[kind], gold[kind], right[kind], made[kind])
            for kind in sorted(gold | made)
        },
        "recall_by_label": {
            label: [_share(hits[label], labels[label]), labels[label]]
            for label in sorted(labels)
        },
    }


def _row(found: int, gold: int, right: int, made: int) -> dict[str, object]:
    recall, precision = _share(found, gold), _share(right, made)
    f2 = None
    if recall is not None and precision is not None:
        f2 = round(5 * precision * recall / max(4 * precision + recall, 1e-9), 4)
    return {"gold": gold, "recall": recall, "precision": precision, "f2": f2}


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def microseconds(texts: Sequence[str]) -> float:
    """Mean processor time of one search, the best of three passes, none remembered."""
    best = float("inf")
    for _ in range(3):
        find_identifiers.cache_clear()
        started = time.process_time()
        for text in texts:
            find_identifiers(text, second_opinion())
        best = min(best, time.process_time() - started)
    return round(best / len(texts) * 1e6, 1)


def report(data: Path | None, rounds: int, seed: int) -> dict[str, object]:
    """Figures for each source and for the six kinds of sentences together."""
    warm()
    cases = list(written_cases(rounds, seed))
    if data is not None:
        cases += labelled_cases(data)
    outcomes = [judged(case) for case in cases]
    by_source = {
        source: figures([o for o in outcomes if o.case.source == source])
        for source in dict.fromkeys(case.source for case in cases)
    }
    return {
        "sources": by_source,
        "microseconds_a_text": microseconds([case.text for case in cases[:2000]]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=11)
    chosen = parser.parse_args()
    found = report(chosen.data, chosen.rounds, chosen.seed)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
