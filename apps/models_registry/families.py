"""The plug-ins of this app, by name: runners that train and adapters that answer."""

from __future__ import annotations

from django.conf import settings

from apps.core.errors import InvalidInput
from apps.core.plugins import load_family
from apps.models_registry.contracts import ModelAdapter, TrainingRunner


def runner_named(name: str) -> TrainingRunner:
    """A new runner; InvalidInput when no runner has this name."""
    family = load_family(settings.PE_TRAINING_RUNNERS, TrainingRunner)  # type: ignore[type-abstract]
    if name not in family:
        raise InvalidInput(
            f"There is no training runner {name!r}; there are "
            f"{', '.join(sorted(family)) or 'none'}."
        )
    return family[name]()


def adapter_named(name: str) -> ModelAdapter:
    """A new adapter, not loaded; InvalidInput when no adapter has this name."""
    return adapter_class(name)()


def adapter_class(name: str) -> type[ModelAdapter]:
    """The class of adapters of this name; InvalidInput when there is none."""
    family = load_family(settings.PE_MODEL_ADAPTERS, ModelAdapter)  # type: ignore[type-abstract]
    if name not in family:
        raise InvalidInput(
            f"There is no model adapter {name!r}; there are "
            f"{', '.join(sorted(family)) or 'none'}."
        )
    return family[name]
