"""What a finished fine-tuning leaves: safetensors, ONNX, tokenizer and labels.

All are content-addressed, so the bytes must depend on nothing but the manifest.
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Mapping, Sequence

import torch
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from apps.core.digests import canonical_json
from apps.models_registry.contracts import TrainedArtifact
from apps.models_registry.runners.text_classifier.trainer import FineTuning

OPSET = 17


class ServingGraph(nn.Module):
    """Ids and mask, (texts, tokens) int64, to logits (texts, labels)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        logits: Tensor = self.network(input_ids=ids, attention_mask=mask).logits
        return logits


def artifacts_of(
    tuning: FineTuning, labels: Sequence[str]
) -> dict[str, TrainedArtifact]:
    """Artifacts by file name."""
    network = tuning.base.network.cpu().eval()
    weights = {k: v.contiguous() for k, v in network.state_dict().items()}
    tokenizer = tuning.base.tokenizer
    tokenizer.enable_truncation(tuning.chosen.max_tokens)
    about = {
        "labels": list(labels),
        "max_tokens": tuning.chosen.max_tokens,
        "pad_id": tuning.padding,
    }
    described = json.loads(tokenizer.to_str())
    return {
        "model.safetensors": TrainedArtifact("safetensors", save_tensors(weights)),
        "model.onnx": TrainedArtifact("onnx", _onnx(ServingGraph(network).eval())),
        "tokenizer.json": TrainedArtifact("json", canonical_json(described)),
        "classifier.json": TrainedArtifact("json", canonical_json(about)),
    }


def _onnx(graph: ServingGraph) -> bytes:
    stream = io.BytesIO()
    sample = torch.ones((2, 8), dtype=torch.int64)
    axes = {0: "texts", 1: "tokens"}
    with warnings.catch_warnings():
        # The legacy exporter is deprecated, and takes 1 s where the new one takes 20.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph,
            (sample, sample),
            stream,  # type: ignore[arg-type]  # the legacy exporter writes to streams
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_axes={
                "input_ids": axes,
                "attention_mask": axes,
                "logits": {0: "texts"},
            },
            opset_version=OPSET,
            dynamo=False,
        )
    return stream.getvalue()


def signature_of(labels: Sequence[str]) -> Mapping[str, object]:
    """Names, shapes and dtypes of the exported graph, and what the model speaks."""
    shape = ["texts", "tokens"]
    return {
        "inputs": [
            {"name": "input_ids", "shape": shape, "dtype": "int64"},
            {"name": "attention_mask", "shape": shape, "dtype": "int64"},
        ],
        "outputs": [
            {
                "name": "logits",
                "shape": ["texts", len(labels)],
                "dtype": "float32",
            },
        ],
        "speaks": "text-in, labels-out",
        "uses_context": False,
    }
