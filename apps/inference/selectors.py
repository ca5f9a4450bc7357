"""Reading closed requests, and which models a caller may ask."""

from __future__ import annotations

import uuid

from apps.accounts.contracts import KeyFacts
from apps.core.errors import NotFound
from apps.inference.errors import NothingServed, UnknownModel
from apps.inference.models import InferenceRecord
from apps.models_registry.models import ModelAlias, ModelVersion, RegisteredModel
from apps.models_registry.selectors import PRODUCTION


def record_of_key(request_id: uuid.UUID, caller: KeyFacts) -> InferenceRecord:
    """The record, when this line of keys made the request; NotFound otherwise."""
    found = InferenceRecord.objects.filter(
        pk=request_id, key_family_id=caller.family_id
    ).first()
    if found is None:
        raise NotFound("This key has made no request with that id.")
    return found


def production_version_id(model_name: str) -> uuid.UUID:
    """What ``production`` points at; UnknownModel, or NothingServed without it."""
    found = ModelAlias.objects.filter(model__name=model_name, name=PRODUCTION)
    version_id = found.values_list("version_id", flat=True).first()
    if version_id is not None:
        return version_id
    if not RegisteredModel.objects.filter(name=model_name).exists():
        raise UnknownModel("There is no such model. GET /api/v1/models lists yours.")
    raise NothingServed("No version of this model is in production yet.")


def served_aliases(caller: KeyFacts) -> list[ModelAlias]:
    """Aliases of approved versions in production that the caller's tier allows."""
    aliases = ModelAlias.objects.filter(
        name=PRODUCTION, version__state=ModelVersion.State.APPROVED
    ).select_related("model", "version")
    return [
        alias
        for alias in aliases.order_by("model__name")
        if caller.tier.allows_model(alias.model.name)
    ]


def served_models(caller: KeyFacts) -> list[dict[str, str]]:
    """Models with an approved version in production that the caller's tier allows."""
    return [
        {
            "name": alias.model.name,
            "task": alias.model.task,
            "description": alias.model.description,
            "version": str(alias.version.number),
        }
        for alias in served_aliases(caller)
    ]
