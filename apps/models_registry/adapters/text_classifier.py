"""Serves ``text_classifier`` versions: text in, probabilities out. No torch."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from apps.core.errors import Unavailable
from apps.models_registry.adapters.base import GuardedAdapter
from apps.models_registry.adapters.onnx_session import OnnxSession
from apps.models_registry.contracts import Prediction, TextRequest, VerifiedBytes


@dataclass(frozen=True, slots=True)
class _Loaded:
    session: OnnxSession
    tokenizer: Tokenizer
    labels: tuple[str, ...]
    version_digest: str


class TextClassifierOnnxAdapter(GuardedAdapter):
    """The predicted text is empty: a classifier has nothing to say to a person."""

    name = "text_classifier_onnx"
    version = "1"
    files = ("model.onnx", "tokenizer.json", "classifier.json")

    def __init__(self) -> None:
        self._loaded: _Loaded | None = None

    def load(
        self, artifacts: Mapping[str, VerifiedBytes], *, version_digest: str
    ) -> None:
        about = json.loads(artifacts["classifier.json"].content)
        tokenizer = Tokenizer.from_buffer(artifacts["tokenizer.json"].content)
        tokenizer.enable_truncation(about["max_tokens"])
        tokenizer.enable_padding(pad_id=about["padding"])
        self._loaded = _Loaded(
            session=OnnxSession(artifacts["model.onnx"].content),
            tokenizer=tokenizer,
            labels=tuple(about["labels"]),
            version_digest=version_digest,
        )

    def _predict(self, batch: Sequence[TextRequest]) -> list[Prediction]:
        loaded = self._loaded
        if loaded is None:
            raise Unavailable("The model is not loaded.")
        if not batch:
            return []
        start = time.perf_counter()
        encoded = loaded.tokenizer.encode_batch([item.text for item in batch])
        feeds = {
            "ids": np.array([one.ids for one in encoded], dtype=np.int64),
            "mask": np.array([one.attention_mask for one in encoded], dtype=np.int64),
        }
        rows = loaded.session.run(feeds)["probabilities"]
        share_ms = (time.perf_counter() - start) * 1000 / len(batch)
        return [
            Prediction(
                text="",
                labels={
                    label: float(probability)
                    for label, probability in zip(loaded.labels, row, strict=True)
                },
                reply_id="",
                model_version_digest=loaded.version_digest,
                elapsed_ms=share_ms,
            )
            for row in rows
        ]

    def signature(self) -> Mapping[str, object]:
        return {
            "input": "TextRequest",
            "output": "Prediction",
            "labels": list(self._loaded.labels) if self._loaded else [],
        }

    def unload(self) -> None:
        if self._loaded is not None:
            self._loaded.session.close()
            self._loaded = None

    @property
    def memory_bytes(self) -> int:
        # The graph, and about as much again for the runtime's own copies.
        return 2 * self._loaded.session.size_bytes if self._loaded else 0
