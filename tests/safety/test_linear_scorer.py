"""The shipped scorer: checked bytes, total over Unicode, nothing left unread."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from apps.core.errors import IntegrityFailure, Unavailable
from apps.safety.runtime.linear import MANIFEST, SHIPPED, WEIGHTS, LinearScorer

HEADS = {
    "crisis", "crisis_high", "violence", "toxic", "hate", "threat", "sexual",
    "insult", "stereotype", "inappropriate",
}  # fmt: skip


CALM = ("we", "walked", "to", "the", "market", "and", "bought", "some", "bread")
RISK = ("I", "want", "to", "kill", "myself", "tonight", "with", "the", "pills")


@pytest.fixture(scope="module")
def scorer():
    return LinearScorer.load()


@pytest.fixture
def copied(tmp_path):
    for name in (MANIFEST, WEIGHTS):
        shutil.copy(SHIPPED / name, tmp_path / name)
    return tmp_path


def test_every_promised_head_answers_within_zero_and_one(scorer):
    scores = scorer.score("I feel a bit tired today")

    assert set(scores) == HEADS == set(scorer.heads)
    assert all(0.0 <= value <= 1.0 for value in scores.values())


@pytest.mark.parametrize(
    "text", ["", " ", "\x00", "\ud800", "\udfff a \ud800", "😀", "ﷺ", "́" * 500]
)
def test_any_string_has_a_score(scorer, text):
    scores = scorer.score(text, (text, text))

    assert all(0.0 <= value <= 1.0 for value in scores.values())


def test_the_same_text_scores_the_same_twice(scorer):
    assert scorer.score("hello there", ("hi",)) == scorer.score("hello there", ("hi",))


def test_changed_weights_are_refused(copied):
    content = bytearray((copied / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (copied / WEIGHTS).write_bytes(content)

    with pytest.raises(IntegrityFailure):
        LinearScorer.load(copied)


def test_missing_weights_are_unavailable(tmp_path):
    with pytest.raises(Unavailable):
        LinearScorer.load(tmp_path)


def test_weights_for_other_features_are_refused(copied):
    manifest = copied / MANIFEST
    manifest.write_text(manifest.read_text().replace('"words-chars', '"other'))

    with pytest.raises(IntegrityFailure):
        LinearScorer.load(copied)


@pytest.mark.parametrize("place", [0, 1000, 5000])
def test_risk_is_found_wherever_it_stands_in_a_long_text(scorer, place):
    calm = list(CALM)
    words = (calm * 600)[:6000]
    words[place:place] = list(RISK)

    scores = scorer.score(" ".join(words))

    assert scores["crisis"] > scorer.score(" ".join(calm * 600))["crisis"]


def test_earlier_risk_is_carried_and_fades(scorer):
    told = "I am going to kill myself tonight"
    alone = scorer.score("ok")["crisis"]

    just_now = scorer.score("ok", (told,))["crisis"]
    long_ago = scorer.score("ok", (told, "right", "right", "right"))["crisis"]

    assert alone < long_ago < just_now


def test_a_reply_is_read_against_the_turn_before(scorer):
    reply = "That sounds like a good plan, do it."

    fine = scorer.score(reply, ("I might cook pasta tonight",))["inappropriate"]
    worse = scorer.score(reply, ("I want to hurt myself tonight",))["inappropriate"]

    assert worse > fine


def test_serving_needs_no_tensor_or_learning_library():
    code = (
        "import sys; from apps.safety.runtime.linear import LinearScorer;"
        "LinearScorer.load().score('hello', ('hi',));"
        "print([m for m in ('torch', 'sklearn', 'scipy', 'transformers') "
        "if m in sys.modules])"
    )

    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert said.stdout.strip() == "[]"
