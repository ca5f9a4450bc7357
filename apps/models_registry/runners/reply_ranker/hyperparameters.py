"""The numbers a manifest may set for ``reply_ranker``, with defaults and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apps.models_registry.runners.limits import Limit, parse_limited
from apps.models_registry.text_features import FeaturiserConfig

LIMITS: Mapping[str, Limit] = {
    "epochs": Limit(1, 500),
    "batch_size": Limit(1, 512),
    "learning_rate": Limit(1e-6, 1.0),
    "weight_decay": Limit(0.0, 1.0),
    "dropout": Limit(0.0, 0.9),
    "buckets": Limit(16, 1 << 20),
    "dimension": Limit(4, 1024),
    "max_features": Limit(8, 4096),
    "char_ngram": Limit(2, 8),
    "checkpoint_every": Limit(1, 100_000),
    "log_every": Limit(1, 100_000),
}


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    epochs: int = 60
    batch_size: int = 32
    learning_rate: float = 0.004
    weight_decay: float = 0.01
    dropout: float = 0.3
    buckets: int = 4096
    dimension: int = 64
    max_features: int = 384
    char_ngram: int = 4
    checkpoint_every: int = 200
    log_every: int = 20

    @property
    def featuriser(self) -> FeaturiserConfig:
        return FeaturiserConfig(
            buckets=self.buckets,
            max_features=self.max_features,
            char_ngram=self.char_ngram,
        )


def parse_hyperparameters(content: Mapping[str, object]) -> Hyperparameters:
    """Defaults overlaid with ``content``; InvalidInput names what cannot be used."""
    return parse_limited(Hyperparameters, "reply_ranker", LIMITS, content)
