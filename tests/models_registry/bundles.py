"""Tiny real bundles of each model format, and ways to make their models hang."""

from __future__ import annotations

import json
import os
import signal
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from apps.core.digests import digest_bytes

LABELS = ("calm", "sad", "tense")
WORDS = ("[PAD]", "[UNK]", "i", "sleep", "badly", "walk", "exam", "fear", "tea", "rain")
WIDTH = 8


@dataclass(frozen=True)
class Held:
    """Bytes under their true digest, as ``open_verified`` gives them."""

    content: bytes

    @property
    def digest(self) -> str:
        return digest_bytes(self.content)


def held(files: dict[str, bytes]) -> dict[str, Held]:
    return {name: Held(content) for name, content in files.items()}


def tokenizer() -> bytes:
    words = {word: number for number, word in enumerate(WORDS)}
    made = Tokenizer(WordLevel(words, unk_token="[UNK]"))
    made.pre_tokenizer = Whitespace()
    return made.to_str().encode()


def settings(**changes) -> bytes:
    return json.dumps({"labels": list(LABELS), "max_tokens": 32, **changes}).encode()


def _weights() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    table = random.normal(size=(len(WORDS), WIDTH)).astype(np.float32)
    return table, random.normal(size=(WIDTH, len(LABELS))).astype(np.float32)


def graph(endless: bool = False) -> bytes:
    """Mean of word vectors times a matrix; ``endless`` loops for hours first."""
    table, matrix = _weights()
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["vectors"]),
        helper.make_node("Cast", ["attention_mask"], ["seen"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["seen", "last"], ["wide"]),
        helper.make_node("Mul", ["vectors", "wide"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "middle"], ["sum"], keepdims=0),
        helper.make_node("MatMul", ["sum", "matrix"], ["found"]),
    ]
    if endless:
        nodes.append(_loop())
    nodes.append(helper.make_node("Identity", ["looped" if endless else "found"],
                                  ["logits"]))  # fmt: skip
    ids = ["batch", "length"]
    made = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info("input_ids", TensorProto.INT64, ids),
            helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ids),
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 3])],
        [
            numpy_helper.from_array(table, "table"),
            numpy_helper.from_array(matrix, "matrix"),
            numpy_helper.from_array(np.array([2]), "last"),
            numpy_helper.from_array(np.array([1]), "middle"),
            numpy_helper.from_array(np.array(2**60), "trips"),
            numpy_helper.from_array(np.array(True), "always"),
        ],
    )
    opset = [helper.make_opsetid("", 17)]
    return onnx.helper.make_model(made, opset_imports=opset, ir_version=9
                                  ).SerializeToString()  # fmt: skip


def _loop() -> onnx.NodeProto:
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Neg", ["state"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("n", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, ["batch", 3]),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, ["batch", 3]),
        ],
    )
    return helper.make_node("Loop", ["trips", "always", "found"], ["looped"], body=body)


def onnx_bundle(endless: bool = False, **changes) -> dict[str, bytes]:
    return {
        "model.onnx": graph(endless),
        "tokenizer.json": tokenizer(),
        "classifier.json": settings(**changes),
    }


def torch_bundle(**changes) -> dict[str, bytes]:
    """A BERT of one layer with random weights, as transformers saves it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch
        from safetensors.torch import save
        from transformers import BertConfig, BertForSequenceClassification

        torch.manual_seed(5)
        config = BertConfig(
            vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1,
            num_attention_heads=2, intermediate_size=16, num_labels=len(LABELS),
            architectures=["BertForSequenceClassification"],
        )  # fmt: skip
        weights = BertForSequenceClassification(config).state_dict()
    tensors = {name: value.contiguous() for name, value in weights.items()}
    return {
        "model.safetensors": save(tensors, metadata={"format": "pt"}),
        "config.json": config.to_json_string().encode(),
        "tokenizer.json": tokenizer(),
        "classifier.json": settings(**changes),
    }


def tflite_bundle(**changes) -> dict[str, bytes]:
    """The graph of ``graph()`` as TensorFlow 2.21 converted it to tiny.tflite."""
    return {
        "model.tflite": (Path(__file__).parent / "tiny.tflite").read_bytes(),
        "tokenizer.json": tokenizer(),
        "classifier.json": settings(**changes),
    }


def freeze_worker(adapter) -> None:
    """Stop the adapter's worker process, as a machine that hangs would."""
    os.kill(adapter._backend._worker._process.pid, signal.SIGSTOP)
