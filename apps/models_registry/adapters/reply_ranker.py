"""Serves ``reply_ranker`` versions: text in, one approved reply out. No torch.

Every answer is a reply from the library the version was trained with, word for word;
this code composes nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.core.errors import Unavailable
from apps.models_registry.adapters.base import GuardedAdapter
from apps.models_registry.adapters.onnx_session import OnnxSession
from apps.models_registry.contracts import Prediction, TextRequest, VerifiedBytes
from apps.models_registry.errors import ArtifactDamaged
from apps.models_registry.text_features import (
    FEATURISER_VERSION,
    FeaturiserConfig,
    feature_batch,
)

# How many replies a prediction names, best first.
RANKED = 5


@dataclass(frozen=True, slots=True)
class _Loaded:
    session: OnnxSession
    featuriser: FeaturiserConfig
    labels: tuple[str, ...]
    replies: tuple[tuple[str, str], ...]
    version_digest: str


class ReplyRankerOnnxAdapter(GuardedAdapter):
    name = "reply_ranker_onnx"
    version = "1"
    files = ("model.onnx", "replies.json", "featuriser.json")

    def __init__(self) -> None:
        self._loaded: _Loaded | None = None

    def load(
        self, artifacts: Mapping[str, VerifiedBytes], *, version_digest: str
    ) -> None:
        """ArtifactDamaged when it was trained with another featuriser."""
        config = json.loads(artifacts["featuriser.json"].content)
        replies = json.loads(artifacts["replies.json"].content)
        graph = artifacts["model.onnx"].content
        labels = tuple(config.pop("labels"))
        if config["version"] != FEATURISER_VERSION:
            raise ArtifactDamaged(
                f"The version was trained with featuriser {config['version']}; this "
                f"code has {FEATURISER_VERSION}."
            )
        self._loaded = _Loaded(
            session=OnnxSession(graph),
            featuriser=FeaturiserConfig(**config),
            labels=labels,
            replies=tuple((reply["id"], reply["text"]) for reply in replies),
            version_digest=version_digest,
        )

    def _predict(self, batch: Sequence[TextRequest]) -> list[Prediction]:
        loaded = self._loaded
        if loaded is None:
            raise Unavailable("The model is not loaded.")
        if not batch:
            return []
        start = time.perf_counter()
        ids = feature_batch([item.text for item in batch], loaded.featuriser)
        outputs = loaded.session.run({"ids": ids})
        share_ms = (time.perf_counter() - start) * 1000 / len(batch)
        rows = zip(outputs["categories"], outputs["scores"], strict=True)
        return [_prediction(loaded, row, share_ms) for row in rows]

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


# Any: two rows of numpy arrays, probabilities by label and scores by reply.
def _prediction(loaded: _Loaded, row: tuple[Any, Any], elapsed_ms: float) -> Prediction:
    probabilities, scores = row
    # Equal scores keep the library's order, so that answers repeat exactly.
    order = (-scores).argsort(kind="stable")
    reply_id, text = loaded.replies[int(order[0])]
    return Prediction(
        text=text,
        labels={
            label: float(probability)
            for label, probability in zip(loaded.labels, probabilities, strict=True)
        },
        reply_id=reply_id,
        model_version_digest=loaded.version_digest,
        elapsed_ms=elapsed_ms,
        reply_ranking=tuple(loaded.replies[int(n)][0] for n in order[:RANKED]),
    )
