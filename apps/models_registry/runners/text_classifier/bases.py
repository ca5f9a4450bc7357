"""The network to start from: a local folder whose content is known, or a new one.

Nothing is fetched. A folder is read when its files have the digest that the manifest
names, so that two machines cannot start from different weights; only safetensors are
read, never a pickle, and no code of a model's own is run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import TemplateProcessing
from torch import nn
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    BertForSequenceClassification,
)

from apps.core.digests import digest_file, digest_json
from apps.core.errors import IntegrityFailure, InvalidInput
from apps.models_registry.runners.text_classifier.hyperparameters import (
    Hyperparameters,
)

FILES = ("config.json", "model.safetensors", "tokenizer.json")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
PADDING, START, END = "[PAD]", "[CLS]", "[SEP]"


@dataclass(frozen=True, slots=True)
class Base:
    """A classifier that gives logits of (texts, labels), and its tokenizer."""

    network: nn.Module
    tokenizer: Tokenizer


def base_digest(folder: Path) -> str:
    """What a manifest names as ``base_digest``: over the three files there."""
    return digest_json({name: digest_file(folder / name) for name in FILES})


def base_of(chosen: Hyperparameters, labels: int) -> Base:
    """The network to train; call with generators seeded.

    InvalidInput when there is no such folder; IntegrityFailure when it holds other
    bytes than the manifest was written for.
    """
    if not chosen.base:
        return _new(chosen, labels)
    folder = _folder(chosen.base)
    found = base_digest(folder)
    if found != chosen.base_digest:
        raise IntegrityFailure(
            f"The base model {chosen.base} has the digest {found}; the manifest was "
            "written for another."
        )
    network = AutoModelForSequenceClassification.from_pretrained(
        folder,
        num_labels=labels,
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=False,
        attn_implementation="eager",
        ignore_mismatched_sizes=True,
    )
    return Base(network, Tokenizer.from_file(str(folder / "tokenizer.json")))


def _folder(name: str) -> Path:
    root = str(settings.PE_BASE_MODELS_DIR)
    if not root:
        raise InvalidInput("No base models are offered here: set PE_BASE_MODELS_DIR.")
    folder = Path(root) / name
    if not NAME.fullmatch(name) or not all((folder / one).is_file() for one in FILES):
        raise InvalidInput(
            f"There is no base model {name!r} with {', '.join(FILES)} here."
        )
    return folder


def _new(chosen: Hyperparameters, labels: int) -> Base:
    tokenizer = byte_tokenizer()
    # Any: what every configuration takes is not in this one's signature.
    shape: dict[str, Any] = {
        "vocab_size": tokenizer.get_vocab_size(),
        "hidden_size": chosen.hidden,
        "num_hidden_layers": chosen.layers,
        "num_attention_heads": chosen.heads,
        "intermediate_size": 4 * chosen.hidden,
        "hidden_dropout_prob": chosen.dropout,
        "attention_probs_dropout_prob": chosen.dropout,
        "max_position_embeddings": chosen.max_tokens,
        "pad_token_id": tokenizer.token_to_id(PADDING),
        "num_labels": labels,
        "attn_implementation": "eager",
    }
    return Base(BertForSequenceClassification(BertConfig(**shape)), tokenizer)


def byte_tokenizer() -> Tokenizer:
    """A token a byte of UTF-8 between a start and an end; total over any text."""
    special = (PADDING, START, END)
    alphabet = sorted(ByteLevel.alphabet())
    vocabulary = {token: place for place, token in enumerate((*special, *alphabet))}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.post_processor = TemplateProcessing(
        single=f"{START} $A {END}",
        special_tokens=[(START, vocabulary[START]), (END, vocabulary[END])],
    )
    tokenizer.add_special_tokens(list(special))
    return tokenizer
