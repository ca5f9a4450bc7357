"""The tagger of names: checked bytes, names found, plain words passed over."""

from __future__ import annotations

import random
import shutil
from itertools import pairwise

import pytest

from apps.core.errors import IntegrityFailure, Unavailable
from apps.safety.runtime import tagger as files
from apps.safety.runtime.encoder import VOCABULARY
from apps.safety.runtime.linear import SHIPPED
from apps.safety.runtime.tagger import Tagger
from apps.safety.runtime.words import LONGEST, Words, is_plain, shape_of, spoken
from apps.safety.training.encoder.plain import plain_words
from apps.safety.training.encoder.tagger import Marked, known
from apps.safety.training.generators.identities import filled

PLAIN = frozenset({"i", "feel", "so", "tired", "today", "the", "will*", "don't"})


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger.load()


def found(tagger: Tagger, text: str) -> dict[str, str]:
    return {text[start:end]: kind for start, end, kind, _ in tagger.tag(text)}


def test_names_of_three_kinds_are_found(tagger):
    tags = found(
        tagger,
        "My sister Marisol Okafor moved to Aberdeen and works at Barclays Bank.",
    )

    assert tags["Marisol Okafor"] == "NAME"
    assert tags["Aberdeen"] == "LOCATION"
    assert "ORGANIZATION" in tags.values()


@pytest.mark.parametrize(
    "text", ["i feel so tired today", "I could not sleep. It was too loud.", "", "?!"]
)
def test_ordinary_talk_names_nobody(tagger, text):
    assert found(tagger, text) == {}


def test_held_out_sentences_are_mostly_tagged(tagger):
    chance = random.Random(3)
    names = hits = 0
    while names < 150:
        for text, marks in filled(chance, held_out=True):
            tags = tagger.tag(text)
            for start, end, kind in known(marks):
                if kind != "NAME":
                    continue
                names += 1
                hits += any(s < end and start < e for s, e, _, _ in tags)

    assert hits / names >= 0.8


def test_a_name_far_into_a_long_text_is_found(tagger):
    padding = "We talked about the garden and the rain for a while. " * 60
    text = f"{padding}Then Oluwaseun Adeyemi called. {padding}"

    assert "NAME" in found(tagger, text).values()


def test_finds_do_not_overlap_and_stand_in_order(tagger):
    text = "Dr. Anna-Maria O'Neill of Leeds met José Álvarez in São Paulo, at a café."
    tags = tagger.tag(text)

    for first, second in pairwise(tags):
        assert first[1] <= second[0]
    assert all(0.0 <= chance <= 1.0 for *_, chance in tags)


@pytest.mark.parametrize(
    "text", ["\ud800", "\x00" * 40, "É" * 500, "a" * 9000, "😀 " * 400, "A b " * 2000]
)
def test_any_string_is_tagged_without_failing(tagger, text):
    assert all(0 <= s < e <= len(text) for s, e, _, _ in tagger.tag(text))


# -- plain words ---------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("I feel so tired today", True),
        ("So tired. The day", False),
        ("So tired. Today I don’t feel", True),
        ("I feel So tired", False),
        ("will the", True),
        ("Will, the", False),
        ("TIRED", False),
        ("", True),
    ],
)
def test_plain_is_lower_case_or_opens_a_sentence(text, plain):
    assert is_plain(text, PLAIN) is plain


def test_a_word_that_makes_names_is_not_plain():
    marked = [
        Marked("we met robin of the north", ((7, 25, "NAME"),)) for _ in range(20)
    ]
    texts = ["of course we met the north wind and will rest"] * 40

    words = plain_words(marked, texts)

    assert {"of", "the", "met"} <= set(words)
    assert "robin" not in words
    assert "will*" in words or "will" in words


def test_words_keep_their_places_and_windows_their_length():
    from tokenizers import Tokenizer

    words = Words(Tokenizer.from_file(str(SHIPPED / VOCABULARY)))
    text = "Ann’s flat, no. 4b: " * 80
    split = words.split(text)
    windows = list(words.windows(split))

    assert {text[w.start : w.end] for w in split} >= {"Ann", "flat", "4", "b", ","}
    assert all(len(window.ids) <= LONGEST + 1 for window in windows)
    assert {w.start for window in windows for w in window.words} == {
        w.start for w in split
    }
    assert [word for _, _, word in spoken("Don’t go")] == ["don't", "go"]
    assert len({shape_of(w) for w in ("a", "Ab", "AB", "aB", "1", "!")}) == 6


# -- files ---------------------------------------------------------------------------
NAMES = (files.MANIFEST, files.WEIGHTS, files.PLAIN, VOCABULARY)


@pytest.fixture
def copied(tmp_path):
    for name in NAMES:
        shutil.copy(SHIPPED / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("name", [files.WEIGHTS, files.PLAIN, VOCABULARY])
def test_changed_tagger_files_are_refused(copied, name):
    content = bytearray((copied / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / name).write_bytes(content)

    with pytest.raises(IntegrityFailure):
        Tagger.load(copied)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_unavailable(copied, name):
    (copied / name).unlink()

    with pytest.raises(Unavailable, match="train_gates"):
        Tagger.load(copied)
