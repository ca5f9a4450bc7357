"""Encoder and tagger from data folder to shipped files."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from apps.safety.gates.identifiers.detect import find_identifiers
from apps.safety.runtime.encoder import VOCABULARY, WEIGHTS, Encoder
from apps.safety.runtime.linear import LinearScorer
from apps.safety.runtime.pieces import Pieces
from apps.safety.runtime.tagger import KINDS
from apps.safety.runtime.teacher import PACKAGE, model_folder
from apps.safety.runtime.words import Words
from apps.safety.training.corpus import data_folder
from apps.safety.training.encoder.export import onnx_bytes, write_encoder, write_tagger
from apps.safety.training.encoder.loop import Plan, fine_tune
from apps.safety.training.encoder.model import GateEncoder
from apps.safety.training.encoder.plain import plain_words
from apps.safety.training.encoder.sampling import merged
from apps.safety.training.encoder.tagger import (
    Marked,
    NameTagger,
    known,
    read_marked,
    train_tagger,
)
from apps.safety.training.encoder.vocabulary import plain_tokenizer, pruned
from apps.safety.training.examples import Example
from apps.safety.training.fuse import fuse, score_all
from apps.safety.training.generators.identities import filled
from apps.safety.training.train import Recipe, Stages, read_examples

THREADS = 2
# First what people wrote, then with it the lines written for this project.
COLLECTED, EVERYTHING = (1.0,), (1.0, 0.85)
TAGGER_PASSES, TAGGER_SENTENCES = 3, 15_000
LEAST = 0.4
UNNAMED = ("lines-", "goemotions", "counselchat_answers")
ONE_BY_ONE = ("lines-", "pairs-")


def _training_rows(examples: Sequence[Example]) -> list[Example]:
    return merged([e for e in examples if not e.dev])


def train_encoder(recipe: Recipe, out: Path, stages: Stages) -> dict[str, Any]:
    """Fine-tunes, exports and joins with the linear weights in ``out``.

    A killed run goes on from the checkpoint beside ``out``.
    """
    torch.set_num_threads(THREADS)
    examples = read_examples(recipe, stages)
    rows = _training_rows(examples)
    folder = model_folder()
    collected = [e for e in rows if not e.source.startswith(ONE_BY_ONE)]
    kept, vocabulary = pruned(folder, (e.text for e in collected))
    pieces = Pieces(plain_tokenizer(vocabulary))
    torch.manual_seed(recipe.seed)
    model = GateEncoder(folder, kept)
    for stage, (chosen, passes) in enumerate(
        ((collected, COLLECTED), (rows, EVERYTHING))
    ):
        scales = tuple(scale * recipe.share for scale in passes)
        checkpoint = out / "training" / f"encoder-{stage}.pt"
        plan = Plan(chosen, pieces, checkpoint, recipe.seed + stage, scales)
        fine_tune(model, plan, stages)
    content = onnx_bytes(model, ("ids", "mask", "types"))
    write_encoder(out, content, vocabulary, {"fusion": {}, "training": {}})
    return join(recipe, out, stages, examples)


def join(
    recipe: Recipe, out: Path, stages: Stages, examples: Sequence[Example] | None = None
) -> dict[str, Any]:
    """Fits how the linear weights and the encoder in ``out`` answer together."""
    if examples is None:
        examples = read_examples(recipe, stages)
    dev = [e for e in examples if e.dev]
    tick = stages("join", len(dev))
    encoder = Encoder.load(out)
    fusion, figures = fuse(score_all(LinearScorer.load(out), encoder, dev, tick))
    training = {
        "seed": recipe.seed,
        "start": PACKAGE,
        "passes": [list(COLLECTED), list(EVERYTHING)],
        "examples": len(examples),
        "dev": figures,
    }
    vocabulary = (out / VOCABULARY).read_text(encoding="utf-8")
    content = (out / WEIGHTS).read_bytes()
    return write_encoder(
        out, content, vocabulary, {"fusion": fusion, "training": training}
    )


def train_names(recipe: Recipe, out: Path, stages: Stages) -> dict[str, Any]:
    """Trains the tagger on the vocabulary of the encoder in ``out``."""
    torch.set_num_threads(THREADS)
    vocabulary = (out / VOCABULARY).read_text(encoding="utf-8")
    words = Words(plain_tokenizer(vocabulary))
    count = round(TAGGER_SENTENCES * recipe.share)
    marked = [m for m in read_marked(data_folder(recipe.data)) if not m.dev]
    marked += written_sentences(recipe.seed, count)
    examples = read_examples(recipe, stages)
    plain = plain_words(marked, (e.text for e in examples if not e.dev))
    marked += unnamed_sentences(examples)
    torch.manual_seed(recipe.seed)
    model = NameTagger(_vectors(vocabulary))
    tick = stages("names", len(marked) * TAGGER_PASSES)
    train_tagger(model, words, marked, TAGGER_PASSES, tick)
    content = onnx_bytes(model, ("ids", "mask", "shapes"))
    training = {"seed": recipe.seed, "sentences": len(marked), "start": PACKAGE}
    about = {"least": LEAST, "training": training}
    return write_tagger(out, content, plain, about)


def written_sentences(seed: int, count: int) -> list[Marked]:
    """Sentences of this project's templates, none from a held-out one."""
    rng = random.Random(f"{seed}-names")  # noqa: S311 - reproducible, nothing secret
    made: list[Marked] = []
    while len(made) < count:
        made += [
            Marked(text, tuple(known(marks)))
            for text, marks in filled(rng, held_out=False)
        ]
    return made[:count]


def unnamed_sentences(examples: Sequence[Example]) -> list[Marked]:
    """Ordinary talk in which the rules see no name, so that rare words are no names."""
    return [
        Marked(e.text, ())
        for e in examples
        if not e.dev
        and e.source.startswith(UNNAMED)
        and not any(item.kind in KINDS for item in find_identifiers(e.text))
    ]


def _vectors(vocabulary: str) -> torch.Tensor:
    """(pieces, 384): the pretrained vectors of the kept pieces."""
    from transformers import AutoModel

    folder = model_folder()
    trunk: Any = AutoModel.from_pretrained(folder)
    numbers = plain_tokenizer((folder / "tokenizer.json").read_text("utf-8"))
    kept = plain_tokenizer(vocabulary)
    known = numbers.get_vocab(with_added_tokens=True)
    order = sorted(kept.get_vocab(with_added_tokens=True).items(), key=lambda i: i[1])
    table: torch.Tensor = trunk.embeddings.word_embeddings.weight.detach()
    return table[[known[piece] for piece, _ in order]].clone()
