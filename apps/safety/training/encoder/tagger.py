"""Training the token tagger: marked sentences in, a small encoder's weights out."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import BertConfig, BertModel

from apps.safety.runtime.tagger import KINDS
from apps.safety.runtime.words import LONGEST, SHAPES, Window, Words

HIDDEN, LAYERS = 192, 2
RATE = 1.2e-3
BATCH_TOKENS = 3000
LOWERED, UPPERED = 0.22, 0.04
# Names of the data folder's types and of the generator's for the three kinds.
MEANING = {
    "PERSON": "NAME", "FIRST_NAME": "NAME", "NAME": "NAME", "LAST_NAME": "NAME",
    "LOCATION": "LOCATION", "CITY": "LOCATION", "COUNTRY": "LOCATION",
    "ADDRESS": "LOCATION",
    "ORGANIZATION": "ORGANIZATION", "ORG": "ORGANIZATION",
}  # fmt: skip


@dataclass(frozen=True)
class Marked:
    """A sentence and its (start, end, kind) spans, kinds as ``MEANING`` gives them."""

    text: str
    spans: tuple[tuple[int, int, str], ...]
    dev: bool = False
    source: str = ""


def known(marks: Iterable[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    """Marks of the three kinds, by their name here; the rest is left to the rules."""
    for start, end, kind in marks:
        if kind in MEANING:
            yield start, end, MEANING[kind]


def read_marked(folder: Path) -> Iterator[Marked]:
    """Rows of the data folder's pii files."""
    for path in sorted((folder / "pii").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row: dict[str, Any] = json.loads(line)
            spans = row["labels"]["spans"]
            marks = [(span["start"], span["end"], span["type"]) for span in spans]
            yield Marked(
                row["text"], tuple(known(marks)), row["split"] == "dev", path.stem
            )


class NameTagger(nn.Module):
    """(texts, tokens) ids, mask and shapes to (texts, tokens, kinds + 1) logits."""

    def __init__(self, vocabulary: torch.Tensor) -> None:
        super().__init__()
        settings: dict[str, Any] = {
            "vocab_size": len(vocabulary),
            "hidden_size": HIDDEN,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": 4,
            "intermediate_size": 2 * HIDDEN,
            "max_position_embeddings": LONGEST,
            "type_vocab_size": SHAPES,
            "attn_implementation": "eager",
        }
        self.trunk = BertModel(BertConfig(**settings), add_pooling_layer=False)
        self.trunk.embeddings.word_embeddings.weight.data.copy_(reduced(vocabulary))
        self.heads = nn.Linear(HIDDEN, len(KINDS) + 1)

    def forward(
        self, ids: torch.Tensor, mask: torch.Tensor, shapes: torch.Tensor
    ) -> torch.Tensor:
        states = self.trunk(
            input_ids=ids, attention_mask=mask, token_type_ids=shapes
        ).last_hidden_state
        logits: torch.Tensor = self.heads(states)
        return logits


def reduced(vocabulary: torch.Tensor) -> torch.Tensor:
    """(pieces, HIDDEN): the pretrained vectors' principal directions, small."""
    centred = vocabulary - vocabulary.mean(0)
    _, axes = torch.linalg.eigh(centred.T @ centred)
    vectors = centred @ axes.flip(1)[:, :HIDDEN]
    scaled: torch.Tensor = vectors * (0.04 / vectors.std())
    return scaled


Sample = tuple[Window, list[int]]


def sample_of(words: Words, marked: Marked, rng: random.Random) -> Iterator[Sample]:
    """Windows with a label a word; sometimes all in one case of letters."""
    chance = rng.random()
    text = marked.text
    if chance < LOWERED and len(text.lower()) == len(text):
        text = text.lower()
    elif chance > 1 - UPPERED and len(text.upper()) == len(text):
        text = text.upper()
    for window in words.windows(words.split(text)):
        labels = [0] * len(window.words)
        for number, word in enumerate(window.words):
            for start, end, kind in marked.spans:
                if start <= word.start < end:
                    labels[number] = KINDS.index(kind) + 1
        yield window, labels


def _batches(samples: Sequence[Sample], rng: random.Random) -> list[list[Sample]]:
    ranked = sorted(samples, key=lambda sample: (len(sample[0].ids), rng.random()))
    made: list[list[Sample]] = [[]]
    for sample in ranked:
        if made[-1] and (len(made[-1]) + 1) * len(sample[0].ids) > BATCH_TOKENS:
            made.append([])
        made[-1].append(sample)
    rng.shuffle(made)
    return made


def _tensors(batch: Sequence[Sample]) -> tuple[torch.Tensor, ...]:
    width = max(len(window.ids) for window, _ in batch)
    ids = torch.zeros(len(batch), width, dtype=torch.long)
    mask, shapes = torch.zeros_like(ids), torch.zeros_like(ids)
    labels = torch.full_like(ids, -100)
    for number, (window, own) in enumerate(batch):
        length = len(window.ids)
        ids[number, :length] = torch.tensor(window.ids)
        shapes[number, :length] = torch.tensor(window.shapes)
        mask[number, :length] = 1
        labels[number, window.openers] = torch.tensor(own)
    return ids, mask, shapes, labels


def train_tagger(
    model: NameTagger,
    words: Words,
    marked: Sequence[Marked],
    passes: int,
    tick: Callable[[int], object],
) -> None:
    """Trains in place, deterministic for equal data."""
    torch.manual_seed(7)
    rng = random.Random("tagger")  # noqa: S311 - reproducible draws, nothing secret
    rounds = [
        _batches([s for m in marked for s in sample_of(words, m, rng)], rng)
        for _ in range(passes)
    ]
    batches = [batch for made in rounds for batch in made if batch[0][1]]
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: (
            min(1.0, step / (0.05 * len(batches)))
            * (0.02 + 0.49 * (1 + math.cos(math.pi * step / len(batches))))
        ),
    )
    model.train()
    for batch in batches:
        ids, mask, shapes, labels = _tensors(batch)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(ids, mask, shapes)
        loss = nn.functional.cross_entropy(
            logits.float().flatten(0, 1), labels.flatten(), label_smoothing=0.02
        )
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        scheduler.step()
        tick(len(batch))
    model.eval()
