"""Text classification behind one contract, whatever computes the logits.

Subclasses open a backend out of verified bytes; tokenising, batching across requests,
deadlines and the shape of an answer are here, once.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy.typing as npt

from apps.core.errors import Unavailable
from apps.models_registry.adapters.base import GuardedAdapter
from apps.models_registry.adapters.batching import Batcher
from apps.models_registry.adapters.deadlines import deadline_of
from apps.models_registry.adapters.text_bundle import (
    SETTINGS_FILE,
    TOKENIZER_FILE,
    ClassifierSettings,
    TextTokens,
    Tokens,
    predictions_of,
    read_settings,
)
from apps.models_registry.contracts import Prediction, TextRequest, VerifiedBytes


class LogitsBackend(Protocol):
    """(batch, labels) logits for tokens; ``close`` twice is fine and stops a run."""

    # Any: float16 or float32, whatever the model computes in.
    def logits(self, tokens: Tokens, deadline: float | None) -> npt.NDArray[Any]: ...

    def close(self) -> None: ...

    @property
    def memory_bytes(self) -> int: ...


class TextClassifierAdapter(GuardedAdapter):
    """The best label is the prediction's text; all labels come with probabilities."""

    _backend: LogitsBackend | None = None
    _settings: ClassifierSettings
    _tokens: TextTokens
    _batcher: Batcher[str, Prediction]
    _version_digest = ""

    @abstractmethod
    def _open(
        self, artifacts: Mapping[str, VerifiedBytes], settings: ClassifierSettings
    ) -> LogitsBackend: ...

    def load(
        self, artifacts: Mapping[str, VerifiedBytes], *, version_digest: str
    ) -> None:
        """ArtifactDamaged when the parts of the bundle do not fit one another."""
        settings = read_settings(artifacts[SETTINGS_FILE].content)
        self._tokens = TextTokens(artifacts[TOKENIZER_FILE].content, settings)
        self._settings = settings
        self._version_digest = version_digest
        self._batcher = Batcher(
            self._run,
            max_items=settings.max_batch,
            max_wait_s=settings.max_wait_ms / 1000,
        )
        self._backend = self._open(artifacts, settings)

    def _predict(self, batch: Sequence[TextRequest]) -> list[Prediction]:
        if self._backend is None:
            raise Unavailable("The model is not loaded.")
        if not batch:
            return []
        return self._batcher.submit([item.text for item in batch], deadline_of(batch))

    def _run(self, texts: list[str], deadline: float | None) -> list[Prediction]:
        backend = self._backend
        if backend is None:
            raise Unavailable("The model was unloaded.")
        start = time.perf_counter()
        logits = backend.logits(self._tokens.encode(texts), deadline)
        found = predictions_of(logits, self._settings.labels, self._version_digest)
        share_ms = (time.perf_counter() - start) * 1000 / len(texts)
        return [replace(one, elapsed_ms=share_ms) for one in found]

    def signature(self) -> Mapping[str, object]:
        labels = list(self._settings.labels) if self._backend else []
        return {"input": "TextRequest", "output": "Prediction", "labels": labels}

    def unload(self) -> None:
        backend, self._backend = self._backend, None
        if backend is not None:
            backend.close()

    @property
    def memory_bytes(self) -> int:
        return self._backend.memory_bytes if self._backend else 0
