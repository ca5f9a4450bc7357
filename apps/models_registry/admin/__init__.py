"""Screens of the registry. Every change on them is one service call."""

from apps.models_registry.admin.aliases import AliasChangeAdmin, ModelAliasAdmin
from apps.models_registry.admin.catalog import (
    ArtifactAdmin,
    EvaluationReportAdmin,
    RegisteredModelAdmin,
)
from apps.models_registry.admin.secrets import EndpointSecretAdmin
from apps.models_registry.admin.training import TrainingManifestAdmin, TrainingRunAdmin
from apps.models_registry.admin.versions import ModelVersionAdmin

__all__ = [
    "AliasChangeAdmin",
    "ArtifactAdmin",
    "EndpointSecretAdmin",
    "EvaluationReportAdmin",
    "ModelAliasAdmin",
    "ModelVersionAdmin",
    "RegisteredModelAdmin",
    "TrainingManifestAdmin",
    "TrainingRunAdmin",
]
