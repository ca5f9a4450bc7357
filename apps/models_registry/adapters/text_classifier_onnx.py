"""Text classification on ONNX Runtime. Imports neither torch nor transformers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from apps.models_registry.adapters.onnx_session import OnnxSession, providers_for
from apps.models_registry.adapters.text_bundle import (
    SETTINGS_FILE,
    TOKENIZER_FILE,
    ClassifierSettings,
    Tokens,
)
from apps.models_registry.adapters.text_classifier import (
    LogitsBackend,
    TextClassifierAdapter,
)
from apps.models_registry.contracts import VerifiedBytes
from apps.models_registry.errors import ArtifactDamaged

GRAPH_FILE = "model.onnx"
INPUTS = {"input_ids": "ids", "attention_mask": "mask", "token_type_ids": "types"}


class OnnxLogits:
    """A graph with some of ``input_ids``, ``attention_mask``, ``token_type_ids``, whose
    first output is (batch, labels)."""

    def __init__(self, content: bytes, settings: ClassifierSettings) -> None:
        try:
            self._session = OnnxSession(
                content,
                threads=settings.threads,
                providers=providers_for(settings.device),
            )
        except Exception as error:  # the adapter boundary: any library may fail
            raise ArtifactDamaged(f"{GRAPH_FILE} is no graph that loads.") from error
        unknown = sorted(set(self._session.input_names) - set(INPUTS))
        if unknown or "input_ids" not in self._session.input_names:
            raise ArtifactDamaged(
                f"{GRAPH_FILE} has to take input_ids, and may take attention_mask and "
                f"token_type_ids; it takes {', '.join(self._session.input_names)}."
            )

    # Any: float16 or float32, whatever the graph gives.
    def logits(self, tokens: Tokens, deadline: float | None) -> npt.NDArray[Any]:
        names = self._session.input_names
        feeds = {name: getattr(tokens, INPUTS[name]) for name in names}
        return next(iter(self._session.run(feeds, deadline).values()))

    def close(self) -> None:
        self._session.close()

    @property
    def memory_bytes(self) -> int:
        # The graph, and about as much again for the runtime's own copies.
        return 2 * self._session.size_bytes


class TextClassifierOnnxAdapter(TextClassifierAdapter):
    name = "text_classifier_onnx"
    version = "1"
    files = (GRAPH_FILE, TOKENIZER_FILE, SETTINGS_FILE)

    def _open(
        self, artifacts: Mapping[str, VerifiedBytes], settings: ClassifierSettings
    ) -> LogitsBackend:
        return OnnxLogits(artifacts[GRAPH_FILE].content, settings)
