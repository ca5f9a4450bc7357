"""A Detoxify checkpoint made into a safetensors folder, once and safely.

Detoxify loads its checkpoints by unpickling, which runs code, and fills keys that do
not match with random weights. Here the bytes are checked by digest, read with torch's
``weights_only`` reader, which builds tensors and plain values only, and every key must
be one of the model's, none left over. The result is scored against the original.
Neither torch's nor anybody's hub is asked: the base model's config and tokenizer come
from a local folder.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.core.digests import digest_bytes
from apps.core.errors import IntegrityFailure, InvalidInput

# Any two texts would do: they show that weights survived, not what they are worth.
GOLDEN = ("you are a wonderful person", "shut up, you stupid idiot")
FURTHEST = 1e-5
TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "merges.txt",
    "special_tokens_map.json", "sentencepiece.bpe.model",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Converted:
    """The digest of model.safetensors, its labels, and golden scores by text."""

    digest: str
    labels: tuple[str, ...]
    golden: Mapping[str, Mapping[str, float]]


def convert(checkpoint: Path, digest: str, base: Path, target: Path) -> Converted:
    """Writes ``target`` (which must not exist) from a checkpoint and a base folder.

    ``base`` holds the base model's config.json and tokenizer files. Raises
    IntegrityFailure for other bytes than the digest names, for a checkpoint that would
    run code, and where keys or scores differ; InvalidInput for anything missing.
    """
    if target.exists():
        raise InvalidInput(f"{target.name} exists: name a new folder.")
    labels, state = _read(checkpoint, digest)
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        converted = _write(labels, state, base, partial)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return converted


def _read(checkpoint: Path, digest: str) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Labels and tensors of a checkpoint (Any: torch tensors)."""
    import pickle

    import torch

    content = checkpoint.read_bytes()
    if digest_bytes(content) != digest:
        raise IntegrityFailure("The checkpoint is not of the given digest.")
    try:
        loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        classes = loaded["config"]["dataset"]["args"]["classes"]
        state = loaded["state_dict"]
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise IntegrityFailure(
            "The checkpoint holds more than tensors and plain values: refused."
        ) from error
    except (KeyError, TypeError) as error:
        raise InvalidInput("This is not a Detoxify checkpoint.") from error
    if not isinstance(state, dict) or not all(
        isinstance(value, torch.Tensor) for value in state.values()
    ):
        raise InvalidInput("state_dict must hold tensors only.")
    return tuple(map(str, classes)), state


def _write(
    labels: Sequence[str], state: Mapping[str, Any], base: Path, folder: Path
) -> Converted:
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    try:
        config = AutoConfig.from_pretrained(
            base, local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{base.name} holds no config of a base model.") from error
    config.num_labels = len(labels)
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: number for number, label in enumerate(labels)}
    config.problem_type = "multi_label_classification"
    # Any: transformers has no types of its own.
    family: Any = AutoModelForSequenceClassification
    model = family.from_config(config)
    _fill(model, state)
    model.eval()
    folder.mkdir(parents=True)
    model.save_pretrained(folder, safe_serialization=True)
    for name in TOKENIZER_FILES:
        if (base / name).is_file():
            shutil.copy(base / name, folder / name)
    with torch.inference_mode():
        golden = _compared(model, folder, labels)
    digest = digest_bytes((folder / "model.safetensors").read_bytes())
    facts = {"source": "detoxify", "digest": digest, "golden": golden}
    (folder / "conversion.json").write_text(json.dumps(facts, indent=2), "utf-8")
    return Converted(digest, tuple(labels), golden)


def _fill(model: Any, state: Mapping[str, Any]) -> None:
    """Every parameter from the checkpoint, and nothing of it left over."""
    # Old checkpoints also store the row of position numbers, which is no weight.
    given = {key: value for key, value in state.items() if "position_ids" not in key}
    wanted = {key for key in model.state_dict() if "position_ids" not in key}
    if set(given) != wanted:
        raise IntegrityFailure(
            f"The checkpoint's keys are not the model's: {len(wanted - set(given))} "
            f"missing, {len(set(given) - wanted)} left over. Is base the right one?"
        )
    try:
        model.load_state_dict(given, strict=False)
    except RuntimeError as error:
        raise IntegrityFailure("Shapes differ: is base the right folder?") from error


def _compared(
    model: Any, folder: Path, labels: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Golden scores of the written folder, which must be those of the checkpoint."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    written: Any = AutoModelForSequenceClassification.from_pretrained(
        folder, local_files_only=True, use_safetensors=True
    )
    written.eval()
    found = {}
    for text in GOLDEN:
        row = tokenizer(text, return_tensors="pt")
        before = model(**row).logits.sigmoid()[0]
        after = written(**row).logits.sigmoid()[0]
        if float((before - after).abs().max()) > FURTHEST:
            raise IntegrityFailure(
                "The written weights score other than the originals."
            )
        found[text] = dict(zip(labels, map(float, after), strict=True))
    return found
