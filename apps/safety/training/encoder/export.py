"""The trained encoder to the files that are shipped: ONNX with 8-bit weights."""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn

from apps.core.digests import digest_bytes
from apps.safety.runtime import encoder, tagger
from apps.safety.training.examples import HEADS

_AXES = {0: "texts", 1: "tokens"}


def onnx_bytes(model: nn.Module, inputs: Sequence[str]) -> bytes:
    """The model with 8-bit weights; activations are scaled as they come.

    ``inputs`` names the model's int64 arguments, each (texts, tokens).

    ``reduce_range`` keeps 8-bit sums exact on processors without VNNI.
    """
    sample = torch.ones(1, 16, dtype=torch.long)
    with tempfile.TemporaryDirectory() as folder:
        plain, small = Path(folder) / "plain.onnx", Path(folder) / "small.onnx"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                model.eval(),
                (sample,) * len(inputs),
                plain,
                input_names=list(inputs),
                output_names=["logits"],
                dynamic_axes=dict.fromkeys(inputs, _AXES),
                dynamo=False,
            )
        quantize_dynamic(
            plain,
            small,
            weight_type=QuantType.QInt8,
            reduce_range=True,
            per_channel=True,
        )
        return small.read_bytes()


def write_encoder(
    folder: Path, model: bytes, vocabulary: str, about: Mapping[str, object]
) -> dict[str, object]:
    """Writes model, vocabulary and manifest; returns the manifest.

    ``about`` holds ``fusion`` and ``training``.
    """
    digest = digest_bytes(model)
    manifest: dict[str, object] = {
        "name": "gate-encoder",
        "version": f"encoder-1+{digest[7:15]}",
        "scheme": encoder.SCHEME,
        "heads": list(HEADS),
        "digest": digest,
        "vocabulary": digest_bytes(vocabulary.encode()),
        **about,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / encoder.WEIGHTS).write_bytes(model)
    (folder / encoder.VOCABULARY).write_text(vocabulary, encoding="utf-8")
    _write_json(folder / encoder.MANIFEST, manifest)
    return manifest


def write_tagger(
    folder: Path, model: bytes, plain: Sequence[str], about: Mapping[str, object]
) -> dict[str, object]:
    """Writes model, plain words and manifest beside the encoder's vocabulary.

    The vocabulary is shared with the encoder. ``about`` holds ``least`` and
    ``training``.
    """
    listed = "\n".join(plain).encode()
    digest = digest_bytes(model)
    vocabulary = (folder / encoder.VOCABULARY).read_bytes()
    manifest: dict[str, object] = {
        "name": "gate-tagger",
        "version": f"tagger-1+{digest[7:15]}",
        "scheme": tagger.SCHEME,
        "digest": digest,
        "vocabulary": digest_bytes(vocabulary),
        "plain": digest_bytes(listed),
        **about,
    }
    (folder / tagger.PLAIN).write_bytes(listed)
    (folder / tagger.WEIGHTS).write_bytes(model)
    _write_json(folder / tagger.MANIFEST, manifest)
    return manifest


def _write_json(path: Path, manifest: Mapping[str, object]) -> None:
    path.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
