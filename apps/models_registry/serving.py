"""From a version to a loaded model: verified bytes, the right adapter, one pool.

The caller decides whether a version may be used (``selectors.approved_version_*``);
this module only makes sure that what is loaded is what was recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from django.conf import settings

from apps.models_registry.adapters.pool import AdapterPool
from apps.models_registry.artifacts import open_verified
from apps.models_registry.contracts import ModelAdapter, ServableVersion
from apps.models_registry.errors import ArtifactDamaged
from apps.models_registry.families import adapter_named
from apps.models_registry.secrets import endpoint_secret


@cache
def process_pool() -> AdapterPool:
    """The pool of this process."""
    return AdapterPool(settings.PE_MODEL_POOL_MIB << 20)


def load_adapter(version: ServableVersion) -> ModelAdapter:
    """A newly loaded adapter; ArtifactDamaged when any artifact is not what it was."""
    adapter = adapter_named(version.adapter)
    missing = sorted(set(adapter.files) - set(version.artifacts))
    if missing:
        raise ArtifactDamaged(f"{version.label} has no artifact {missing[0]}.")
    adapter.use_secrets(endpoint_secret)
    artifacts = {name: open_verified(version.artifacts[name]) for name in adapter.files}
    adapter.load(artifacts, version_digest=version.digest)
    return adapter


@contextmanager
def loaded(version: ServableVersion) -> Iterator[ModelAdapter]:
    """The version's adapter from this process's pool, loaded if it has to be."""
    with process_pool().use(version.digest, lambda: load_adapter(version)) as adapter:
        yield adapter


def warm(version: ServableVersion) -> None:
    """Load a version before the first request needs it."""
    with loaded(version):
        pass
