"""Text classification on LiteRT (.tflite), in a worker process.

This process imports neither TensorFlow nor LiteRT; where the package is not installed,
loading says so and nothing else changes.
"""

from __future__ import annotations

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
from apps.models_registry.adapters.worker import ModelWorker, WorkerLogits
from apps.models_registry.contracts import VerifiedBytes

MODEL_FILE = "model.tflite"
WORKER = "apps.models_registry.adapters.tflite_worker"


class TextClassifierTfliteAdapter(TextClassifierAdapter):
    name = "text_classifier_tflite"
    version = "1"
    files = (MODEL_FILE, TOKENIZER_FILE, SETTINGS_FILE)

    def _open(
        self, artifacts: Mapping[str, VerifiedBytes], settings: ClassifierSettings
    ) -> LogitsBackend:
        options = {"threads": settings.threads}
        parts = {MODEL_FILE: artifacts[MODEL_FILE]}
        return WorkerLogits(ModelWorker(WORKER, parts, options))
