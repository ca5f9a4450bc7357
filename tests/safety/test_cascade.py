"""The cascade: linear first, encoder where needed, nothing hidden by calm words."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from apps.core.errors import IntegrityFailure, Unavailable
from apps.safety.runtime import encoder as encoder_files
from apps.safety.runtime.cascade import CascadeScorer, shipped_scorer
from apps.safety.runtime.encoder import Encoder
from apps.safety.runtime.linear import CARRIED, SHIPPED, LinearScorer
from apps.safety.runtime.parts import MOST_WORDS, passages, sentences
from apps.safety.runtime.pieces import LONGEST, Pieces
from apps.safety.runtime.remembered import Remembered
from apps.safety.training.generators import generated

CALM = (
    "We walked to the market and bought bread. The weather was mild all week. "
    "My sister planted tomatoes on the balcony. Work has been busy but fine. "
    "Later we cooked soup and watched an old film together. "
)
TOLD = "I want to kill myself tonight and I have the pills here."
PILES = 10  # pieces of calm text


@pytest.fixture(scope="module")
def scorer() -> CascadeScorer:
    return shipped_scorer()


@pytest.fixture(scope="module")
def thorough() -> CascadeScorer:
    return shipped_scorer(always=True)


@pytest.fixture(scope="module")
def held_back() -> list[tuple[str, dict[str, float]]]:
    """Lines written in this repository that no training saw."""
    rows = [row for row in generated(Path(), 7) if row.dev and not row.context]
    return [(r.text, r.labels) for r in random.Random(7).sample(rows, 500)]


def test_the_cascade_loses_no_recall_on_held_back_lines(scorer, thorough, held_back):
    caught = lost = spared = 0
    for text, labels in held_back:
        told = any(labels.get(head, 0) > 0.5 for head in CARRIED)
        spared += scorer.is_sure(text, heads=CARRIED)
        if told and thorough.score(text, heads=CARRIED)["crisis"] >= 0.5:
            caught += 1
            lost += scorer.score(text, heads=CARRIED)["crisis"] < 0.5

    assert caught > 50
    assert lost == 0
    assert spared > 50, "the encoder ran on nearly everything"


def test_held_back_crisis_lines_are_found_and_calm_ones_are_not(scorer, held_back):
    by_label: dict[bool, list[bool]] = {True: [], False: []}
    for text, labels in held_back:
        if "crisis" in labels:
            score = scorer.score(text, heads=CARRIED)["crisis"]
            by_label[labels["crisis"] > 0.5].append(score >= 0.5)

    assert np.mean(by_label[True]) >= 0.95
    assert np.mean(by_label[False]) <= 0.05


def test_which_head_is_asked_first_changes_nothing(scorer):
    texts = [TOLD, CALM, "You people are all the same, stupid and lazy."]
    for text in texts:
        groups = [CARRIED, ("stereotype",), ("inappropriate",), ("toxic", "hate")]
        forward = [scorer.score(text, (), group) for group in groups]
        scorer.score("something else in between")
        backward = [scorer.score(text, (), group) for group in reversed(groups)]

        assert forward == backward[::-1]


@pytest.mark.parametrize("place", range(0, PILES, 3))
def test_a_disclosure_is_found_anywhere_in_a_long_calm_text(scorer, place):
    calm = [CALM] * PILES
    text = "".join([*calm[:place], TOLD, " ", *calm[place:]])

    assert scorer.score(text, heads=CARRIED)["crisis"] >= 0.5
    assert scorer.score(CALM * PILES, heads=CARRIED)["crisis"] < 0.5


def test_an_earlier_turn_counts_and_fades(scorer):
    now = scorer.score("ok", (TOLD,), CARRIED)["crisis"]
    later = scorer.score("ok", (TOLD, "right", "right", "right"), CARRIED)["crisis"]

    assert now > later > scorer.score("ok", (), CARRIED)["crisis"]


def test_a_remembered_turn_answers_as_a_new_one(thorough):
    fresh = shipped_scorer(always=True)
    thorough.score(TOLD, heads=CARRIED)

    assert thorough.score("ok", (TOLD,), CARRIED) == fresh.score("ok", (TOLD,), CARRIED)


@pytest.mark.parametrize(
    "text", ["", " ", "\x00", "\ud800", "😀" * 300, "a" * 9000, "? " * 3000, "ﷺ" * 400]
)
def test_any_string_has_a_score(scorer, text):
    scores = scorer.score(text, (text,))

    assert all(0.0 <= value <= 1.0 for value in scores.values())


def test_weights_for_other_heads_are_refused():
    linear, encoder = LinearScorer.load(), Encoder.load()
    encoder.heads = encoder.heads[:-1]

    with pytest.raises(ValueError, match="different heads"):
        CascadeScorer(linear, encoder)


# -- the encoder's files -------------------------------------------------------------
@pytest.fixture
def copied(tmp_path):
    names = (encoder_files.MANIFEST, encoder_files.WEIGHTS, encoder_files.VOCABULARY)
    for name in names:
        shutil.copy(SHIPPED / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("name", [encoder_files.WEIGHTS, encoder_files.VOCABULARY])
def test_changed_encoder_files_are_refused(copied, name):
    content = bytearray((copied / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / name).write_bytes(content)

    with pytest.raises(IntegrityFailure, match="do not match"):
        Encoder.load(copied)


def test_a_missing_encoder_is_unavailable(copied):
    (copied / encoder_files.WEIGHTS).unlink()

    with pytest.raises(Unavailable, match="train_gates"):
        Encoder.load(copied)


def test_an_encoder_for_other_pieces_is_refused(copied):
    manifest = copied / encoder_files.MANIFEST
    manifest.write_text(manifest.read_text().replace(encoder_files.SCHEME, "pieces-0"))

    with pytest.raises(IntegrityFailure, match="train them again"):
        Encoder.load(copied)


def test_texts_read_together_come_out_as_alone():
    encoder = Encoder.load()
    texts = [TOLD, CALM * 4, "ok"]

    together = encoder.each(texts, ("how are you",))

    for text, logits in zip(texts, together, strict=True):
        alone = encoder.logits(text, ("how are you",))
        # Activations are scaled per call, so 8-bit rounding differs with the company.
        assert np.abs(alone - logits).max() < 0.5


# -- parts ---------------------------------------------------------------------------
def test_windows_of_pieces_leave_no_piece_unread():
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(SHIPPED / encoder_files.VOCABULARY))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    pieces = Pieces(tokenizer)
    text = " ".join(f"word{n} and" for n in range(400))

    rows = pieces.windows(text, CALM)

    assert max(len(ids) for ids, _ in rows) <= LONGEST
    read = [
        piece
        for ids, types in rows
        for piece, kind in zip(ids, types, strict=True)
        if kind
    ]
    whole = tokenizer.encode(text, add_special_tokens=False).ids
    assert set(whole) <= set(read)


def test_passages_and_sentences_hold_every_word():
    words = [f"w{n}{'.' if n % 9 == 0 else ''}" for n in range(700)]
    text = " ".join(words)

    for parts in (passages(text), sentences(text)):
        held = [word for part in parts for word in part.split()]
        assert [w for w in words if w not in held] == []
    assert max(len(part.split()) for part in sentences(text)) <= MOST_WORDS
    assert sentences("") == []


# -- remembered ----------------------------------------------------------------------
def test_remembered_asks_once_and_forgets_the_oldest(monkeypatch):
    monkeypatch.setattr("apps.safety.runtime.remembered.CAPACITY", 2)
    asked: list[str] = []

    def answer(text):
        asked.append(text)
        return np.zeros(1, np.float32)

    known = Remembered(answer)
    for text in ("a", "a", "b", "c", "a"):
        known(text)
    known.keep("d", np.ones(1, np.float32))

    assert asked == ["a", "b", "c", "a"]
    assert known("d") == 1
