"""Tables of the registry: the catalogue, training, evaluation and aliases."""

from apps.models_registry.models.aliases import AliasChange, ModelAlias
from apps.models_registry.models.catalog import Artifact, ModelVersion, RegisteredModel
from apps.models_registry.models.evaluation import EvaluationReport
from apps.models_registry.models.secrets import EndpointSecret
from apps.models_registry.models.training import (
    Checkpoint,
    ManifestDataset,
    MetricPoint,
    TrainingManifest,
    TrainingRun,
)

__all__ = [
    "AliasChange",
    "Artifact",
    "Checkpoint",
    "EndpointSecret",
    "EvaluationReport",
    "ManifestDataset",
    "MetricPoint",
    "ModelAlias",
    "ModelVersion",
    "RegisteredModel",
    "TrainingManifest",
    "TrainingRun",
]
