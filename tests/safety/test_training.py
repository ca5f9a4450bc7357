"""The whole of training on a tiny original folder: reproducible, loadable, measured."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command

from apps.safety.runtime.linear import LinearScorer
from apps.safety.training.corpus import SOURCES
from apps.safety.training.examples import HEADS
from benchmarks.gate_quality import dev_examples, measure

LABELS = {
    "crisis": ({"self_harm": 1, "risk": "high"}, {"self_harm": 0, "risk": "none"}),
    "toxicity": (
        {"toxic": 1, "hate": 1, "threat": 1, "sexual": 1, "insult": 1},
        {"toxic": 0, "hate": 0, "threat": 0, "sexual": 0, "insult": 0},
    ),
    "bias": ({"stereotype": 1, "group": "x"}, {"stereotype": 0, "group": "x"}),
    "appropriateness": ({"appropriate": 0}, {"appropriate": 1}),
}
WORDS = (
    "river", "lamp", "orange", "chair", "window", "garden", "violet", "morning",
    "paper", "stone",
)  # fmt: skip


def _row(number: int, kind: str) -> dict[str, object]:
    bad = number % 2
    mood = "awful grim" if bad else "calm bright"
    return {
        "text": f"the {WORDS[number % 10]} is {mood} {WORDS[number // 2 % 10]}",
        "labels": LABELS[kind][0 if bad else 1],
        "split": "dev" if number % 4 > 1 else "train",
        "context": ["what do you see"],
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("labelled")
    for source in SOURCES:
        path = root / source.path
        path.parent.mkdir(exist_ok=True)
        rows = [_row(number, path.parent.name) for number in range(24)]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return root


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    outs = [tmp_path_factory.mktemp("weights") for _ in range(2)]
    for out in outs:
        call_command(
            "train_gates", data=folder, out=out, part="linear", trial=True, verbosity=0
        )
    return outs


def test_training_twice_gives_the_same_digest(trained):
    first, second = (json.loads((o / "manifest.json").read_text()) for o in trained)

    assert first == second
    assert tuple(first["heads"]) == HEADS


def test_trained_weights_load_and_tell_the_classes_apart(trained):
    scorer = LinearScorer.load(trained[0])

    grim = scorer.score("the lamp is awful grim stone")
    calm = scorer.score("the lamp is calm bright stone")

    assert grim["crisis"] > calm["crisis"]
    assert grim["toxic"] > calm["toxic"]


def test_quality_is_measured_by_head_and_source_without_text(folder, trained):
    scorer = LinearScorer.load(trained[0])
    collected = [e for e in dev_examples(folder, 7) if not e.is_written]

    figures = measure(scorer, collected)

    assert figures["toxic"]["slices"]["all"]["auroc"] > 0.9
    assert "source:davidson2017" in figures["toxic"]["slices"]
    assert "awful" not in json.dumps(figures)
