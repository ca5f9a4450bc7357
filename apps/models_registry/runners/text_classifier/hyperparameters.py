"""The numbers a manifest may set for ``text_classifier``, with defaults and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apps.core.errors import InvalidInput
from apps.models_registry.runners.limits import Limit, parse_limited

LIMITS: Mapping[str, Limit] = {
    "epochs": Limit(1, 100),
    "batch_size": Limit(1, 512),
    "learning_rate": Limit(1e-7, 1.0),
    "weight_decay": Limit(0.0, 1.0),
    "warmup_share": Limit(0.0, 0.9),
    "dropout": Limit(0.0, 0.9),
    "max_tokens": Limit(8, 2048),
    "layers": Limit(1, 48),
    "hidden": Limit(8, 4096),
    "heads": Limit(1, 64),
    "checkpoint_every": Limit(1, 100_000),
    "log_every": Limit(1, 100_000),
}


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """``base`` names a folder under ``PE_BASE_MODELS_DIR`` with the given digest.

    Without one an encoder of ``layers``, ``hidden`` and ``heads`` starts from nothing
    and reads bytes, so that no word of the data is stored as its vocabulary.
    """

    base: str = ""
    base_digest: str = ""
    epochs: int = 3
    batch_size: int = 16
    learning_rate: float = 5e-5
    weight_decay: float = 0.01
    warmup_share: float = 0.1
    dropout: float = 0.1
    max_tokens: int = 128
    layers: int = 2
    hidden: int = 64
    heads: int = 2
    checkpoint_every: int = 200
    log_every: int = 20


def parse_hyperparameters(content: Mapping[str, object]) -> Hyperparameters:
    """Defaults overlaid with ``content``; InvalidInput names what cannot be used."""
    found = parse_limited(Hyperparameters, "text_classifier", LIMITS, content)
    if found.hidden % found.heads:
        raise InvalidInput("hidden must be a multiple of heads.")
    if bool(found.base) != bool(found.base_digest):
        raise InvalidInput(
            "base and base_digest go together: the digest names what is in the folder."
        )
    return found
