"""Bringing in a model that was trained elsewhere, by the same road as any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apps.accounts.permissions import require
from apps.core.actors import Actor
from apps.core.errors import InvalidInput
from apps.models_registry.artifacts import store_artifact
from apps.models_registry.families import adapter_named
from apps.models_registry.models import TrainingRun
from apps.models_registry.runners.bundle.runner import BundleRunner, kind_of
from apps.models_registry.services.runs import create_manifest, queue_run


@dataclass(frozen=True, slots=True)
class Bundle:
    """Files of one adapter, the model they are a version of, and the frozen messages
    they are tried on."""

    model_name: str
    adapter: str
    files: Mapping[str, bytes]
    messages_digest: str
    code_revision: str


def import_bundle(*, actor: Actor, bundle: Bundle) -> TrainingRun:
    """The queued run that tries the files and makes a draft version of them.

    Raises InvalidInput for an unknown adapter or other files than it needs,
    ManifestInvalid, DatasetNotFrozen.
    """
    require(actor, "models_registry.add_trainingmanifest")
    adapter = adapter_named(bundle.adapter)
    if set(bundle.files) != set(adapter.files):
        raise InvalidInput(
            f"{adapter.name} needs exactly these files: {', '.join(adapter.files)}."
        )
    digests = {
        name: store_artifact([content], kind_of(name)).digest
        for name, content in bundle.files.items()
    }
    document = {
        "schema_version": 1,
        "model": bundle.model_name,
        "runner": {"name": BundleRunner.name, "version": BundleRunner.version},
        "datasets": {"messages": bundle.messages_digest},
        "hyperparameters": {"adapter": adapter.name, **digests},
        "seed": 0,
        "compute": {"device": "cpu"},
        "code_revision": bundle.code_revision,
    }
    manifest = create_manifest(actor=actor, document=document)
    return queue_run(actor=actor, manifest_id=str(manifest.pk))
