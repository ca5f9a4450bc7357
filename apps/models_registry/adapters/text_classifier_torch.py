"""Text classification on PyTorch, in a worker process. This one imports no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

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
from apps.models_registry.adapters.torch_allowed import check_config
from apps.models_registry.adapters.worker import ModelWorker
from apps.models_registry.contracts import VerifiedBytes
from apps.models_registry.errors import ArtifactDamaged

WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
WORKER = "apps.models_registry.adapters.torch_worker"


class WorkerLogits:
    """Logits from a worker that takes ids, mask and types."""

    def __init__(self, worker: ModelWorker) -> None:
        self._worker = worker

    # Any: float32.
    def logits(self, tokens: Tokens, deadline: float | None) -> npt.NDArray[Any]:
        arrays = [tokens.ids, tokens.mask, tokens.types]
        return self._worker.call({}, arrays, deadline)[0]

    def close(self) -> None:
        self._worker.close()

    @property
    def memory_bytes(self) -> int:
        return self._worker.memory_bytes


class TextClassifierTorchAdapter(TextClassifierAdapter):
    name = "text_classifier_torch"
    version = "1"
    files = (WEIGHTS_FILE, CONFIG_FILE, TOKENIZER_FILE, SETTINGS_FILE)

    def _open(
        self, artifacts: Mapping[str, VerifiedBytes], settings: ClassifierSettings
    ) -> LogitsBackend:
        try:
            check_config(json.loads(artifacts[CONFIG_FILE].content))
        except ValueError as error:
            raise ArtifactDamaged(f"The bundle is refused: {error}.") from error
        parts = {name: artifacts[name] for name in (WEIGHTS_FILE, CONFIG_FILE)}
        options = {"threads": settings.threads, "device": settings.device}
        return WorkerLogits(ModelWorker(WORKER, parts, options))
