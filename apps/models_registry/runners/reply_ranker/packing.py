"""What a finished training leaves: safetensors, ONNX, the replies and the featuriser.

All four are content-addressed, so the bytes must depend on nothing but the manifest:
no times, no paths, keys in one order.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping

import torch
from safetensors.torch import save as save_tensors

from apps.core.digests import canonical_json
from apps.models_registry.contracts import TrainedArtifact
from apps.models_registry.runners.reply_ranker.network import ServingGraph
from apps.models_registry.runners.reply_ranker.trainer import Trainer

OPSET = 17


def artifacts_of(trainer: Trainer) -> dict[str, TrainedArtifact]:
    """Artifacts by file name."""
    network = trainer.network.cpu().eval()
    weights = {k: v.contiguous() for k, v in network.state_dict().items()}
    return {
        "model.safetensors": TrainedArtifact("safetensors", save_tensors(weights)),
        "model.onnx": TrainedArtifact("onnx", _onnx(ServingGraph(network).eval())),
        "replies.json": TrainedArtifact("json", canonical_json(_replies(trainer))),
        "featuriser.json": TrainedArtifact("json", canonical_json(_config(trainer))),
    }


def _onnx(graph: ServingGraph) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings():
        # The legacy exporter is deprecated, and takes 1 s where the new one takes 20.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph,
            (torch.ones((2, 8), dtype=torch.int64),),
            stream,  # type: ignore[arg-type]  # the legacy exporter writes to streams
            input_names=["ids"],
            output_names=["categories", "scores"],
            dynamic_axes={"ids": {0: "batch", 1: "length"},
                          "categories": {0: "batch"}, "scores": {0: "batch"}},
            opset_version=OPSET,
            dynamo=False,
        )  # fmt: skip
    return stream.getvalue()


def _replies(trainer: Trainer) -> list[dict[str, str]]:
    """In the order of the score columns."""
    return [
        {"id": reply.id, "category": reply.category, "text": reply.text}
        for reply in trainer.examples.replies
    ]


def _config(trainer: Trainer) -> dict[str, object]:
    return {
        **trainer.settings.featuriser.as_dict(),
        "labels": list(trainer.examples.labels),
    }


def signature_of(trainer: Trainer) -> Mapping[str, object]:
    """Names, shapes and dtypes of the exported graph, and what the model speaks."""
    labels, replies = len(trainer.examples.labels), len(trainer.examples.replies)
    return {
        "inputs": [{"name": "ids", "shape": ["batch", "length"], "dtype": "int64"}],
        "outputs": [
            {"name": "categories", "shape": ["batch", labels], "dtype": "float32"},
            {"name": "scores", "shape": ["batch", replies], "dtype": "float32"},
        ],
        "speaks": "text-in, text-out",
        "uses_context": False,
    }
