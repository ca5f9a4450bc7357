"""Text classification on PyTorch, in a worker process. This one imports no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping

from apps.models_registry.adapters.text_bundle import (
    SETTINGS_FILE,
    TOKENIZER_FILE,
    ClassifierSettings,
)
from apps.models_registry.adapters.text_classifier import (
    LogitsBackend,
    TextClassifierAdapter,
)
from apps.models_registry.adapters.torch_allowed import check_config
from apps.models_registry.adapters.worker import ModelWorker, WorkerLogits
from apps.models_registry.contracts import VerifiedBytes
from apps.models_registry.errors import ArtifactDamaged

WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
WORKER = "apps.models_registry.adapters.torch_worker"


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
