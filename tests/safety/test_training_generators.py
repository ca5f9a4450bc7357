"""Written sentences: reproducible, labelled both ways, fair across groups."""

from __future__ import annotations

import random
from collections import Counter, defaultdict

import pytest

from apps.safety.training.examples import HEADS
from apps.safety.training.generators import generated
from apps.safety.training.generators.batches import PEOPLE, batches
from apps.safety.training.generators.grammar import Batch, fill
from apps.safety.training.generators.texts import load_texts


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return list(generated(tmp_path_factory.mktemp("empty"), 7, 0.05))


def test_the_same_seed_writes_the_same_sentences(tmp_path):
    first, second = (
        [(e.text, e.context) for e in generated(tmp_path, 3, 0.01)] for _ in range(2)
    )

    assert first == second


def test_no_slot_is_left_unfilled(written):
    assert [e.text for e in written if "{" in e.text] == []
    assert [e.context for e in written if any("{" in turn for turn in e.context)] == []


def test_every_head_is_taught_both_answers(written):
    seen = defaultdict(set)
    for example in written:
        for head, label in example.labels.items():
            seen[head].add(label)

    assert {head: seen[head] for head in HEADS} == {head: {0, 1} for head in HEADS}


def test_some_frames_are_held_out_as_dev(written):
    counts = Counter(example.dev for example in written)

    assert 0.02 < counts[True] / counts.total() < 0.4


def test_disclosing_distress_is_never_labelled_toxic(written):
    disclosed = [
        e
        for e in written
        if e.labels.get("crisis") == 1 and e.source.startswith("written-")
    ]

    assert disclosed
    assert {e.labels["toxic"] for e in disclosed} == {0}


def test_groups_fill_hateful_and_friendly_frames_alike():
    texts = load_texts("people")
    drawn = {}
    for kind in ("hateful", "friendly"):
        frames = [f for f in texts.frames[kind] if "{group}" in f]
        batch = Batch(kind, frames, {}, 4000, texts.slots, rough=False)
        said = " ".join(e.text for e in batch.examples(random.Random(1)))
        drawn[kind] = {group for group in texts.slots["group"] if group in said}

    assert PEOPLE["hateful"][1] == PEOPLE["friendly"][1]
    assert drawn["hateful"] == drawn["friendly"] == set(texts.slots["group"])


def test_lexicon_frames_need_the_lexicon():
    without = {batch.source for batch in batches((), ())}
    with_words = {batch.source for batch in batches(("zorp",), ("blim",))}

    assert with_words - without == {
        "toxicity-slur_hate",
        "toxicity-slur_quoted",
        "sexual-words",
    }


def test_the_lexicon_is_read_by_category_and_severity(tmp_path):
    path = tmp_path / "redaction" / "surge_profanity_lexicon.jsonl"
    path.parent.mkdir()
    row = '{"text": "%s", "labels": {"category": "%s", "severity": %s}}\n'
    path.write_text(
        row % ("zorp", "racial / ethnic slurs", 3.0)
        + row % ("mild", "racial / ethnic slurs", 1.0)
        + row % ("blim", "sexual anatomy / sexual acts", 2.0)
    )

    drawn = [e for e in generated(tmp_path, 7, 0.01) if e.source.startswith("written-")]
    texts = " ".join(e.text for e in drawn)

    assert "zorp" in texts
    assert "blim" in texts
    assert "mild" not in texts.split()


def test_slots_fill_inside_slots():
    slots = {"a": ("x {b}",), "b": ("y",)}

    assert fill(random.Random(1), "{a}!", slots) == "x y!"
