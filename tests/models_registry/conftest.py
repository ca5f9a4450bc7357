"""The registry's fixtures."""

from tests.models_registry.fixtures import *  # noqa: F403
