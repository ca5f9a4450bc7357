"""Disguises come off, and nothing else changes."""

from __future__ import annotations

import time

import numpy as np
import pytest

from apps.safety.runtime.features import (
    BUCKETS,
    PASSAGE_CHARS,
    SHARED_BUCKETS,
    passages,
    single_bucket,
)
from apps.safety.runtime.normalise import normalise


@pytest.mark.parametrize(
    ("disguised", "plain"),
    [
        ("K1LL", "kill"),
        ("k i l l", "kill"),
        ("k.i.l.l", "kill"),
        ("ki\u200bll", "kill"),
        ("кill", "kill"),
        ("ｋｉｌｌ", "kill"),
        ("𝓴𝓲𝓵𝓵", "kill"),
        ("k*ll", "kill"),
        ("don’t", "dont"),
        ("kíll", "kill"),
        ("a$$", "ass"),
        ("sooooo", "soo"),
        ("Ⓜ️an", "man"),
        ("🐒", "monkey"),
        ("👍🏿", "thumbs up"),
        ("🅰️", "a"),
    ],
)
def test_a_disguise_comes_off(disguised, plain):
    assert normalise(disguised).split() == plain.split()


@pytest.mark.parametrize(
    "text", ["covid19", "mp3", "5mg", "h2o or a b", "2nd", "it cost 4 dollars"]
)
def test_plain_text_stays(text):
    assert normalise(text).split() == text.split()


def test_links_and_mentions_do_not_speak():
    assert normalise("@someone see https://a.example/kill now").split() == [
        "see",
        "url",
        "now",
    ]


def test_quotes_and_marks_of_tone_are_kept():
    assert normalise("“no” really?!").split() == ['"', "no", '"', "really", "?", "!"]


def test_a_group_name_alone_weighs_the_same_for_every_group():
    rows = [
        next(iter(passages(f"i am {name}"))).words[:, 0].tolist()
        for name in ("gay", "muslim", "black", "deaf")
    ]

    assert all(row == rows[0] for row in rows)
    characters = [
        set(next(iter(passages(name))).chars.ravel().tolist())
        for name in ("gay", "deaf")
    ]
    assert characters == [{0}, {0}]


def test_buckets_stay_inside_the_table():
    [piece] = passages("I don't think they said women are nice, did they?")

    assert piece.words.min() >= 0
    assert piece.words.max() < BUCKETS
    assert piece.chars.max() < SHARED_BUCKETS
    assert single_bucket("think") in piece.words[:, 0]


def test_long_text_is_cut_and_read_whole():
    letters = "bcdfghklmn"
    words = [
        f"{a}u{b}o{c}a{d}"
        for a in letters
        for b in letters
        for c in letters
        for d in "rst"
    ]

    pieces = list(passages(" ".join(words)))

    assert len(pieces) > 1
    assert sum(len(piece.starts) for piece in pieces) >= len(words)
    assert all(len(piece.chars) <= PASSAGE_CHARS + 64 for piece in pieces)
    seen = np.concatenate([piece.words[:, 0] for piece in pieces])
    assert {single_bucket(word) for word in words} <= set(seen.tolist())


@pytest.mark.parametrize(
    "unit", ["a", "k i l l ", "😀", "f*ck ", "a1", "@", "@$", "a@", "!", "ﷺ", "\ud800"]
)
def test_cost_grows_no_faster_than_length(unit):
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        started = time.perf_counter()
        sum(len(piece.starts) for piece in passages(text))
        return time.perf_counter() - started

    short = min(seconds(30_000) for _ in range(3))
    long = min(seconds(120_000) for _ in range(2))

    assert long < 12 * short + 0.05
