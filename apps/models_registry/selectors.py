"""Reading the registry: aliases now and then, versions, runs, lineage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.approvals.selectors import approved_request
from apps.core.errors import NotFound
from apps.models_registry.contracts import ServableVersion
from apps.models_registry.models import (
    AliasChange,
    Checkpoint,
    ModelAlias,
    ModelVersion,
    RegisteredModel,
    TrainingManifest,
    TrainingRun,
)
from apps.models_registry.versioning import signed_digest

PRODUCTION = "production"
SUBJECT_LABEL = "models_registry.modelversion"


def as_uuid(identifier: str) -> UUID:
    """NotFound for what cannot be an identifier of a row."""
    try:
        return UUID(identifier)
    except ValueError as error:
        raise NotFound(f"{identifier[:40]!r} is not an identifier.") from error


# -- catalogue -------------------------------------------------------------------------
def model_named(name: str) -> RegisteredModel:
    """NotFound when no model has this name."""
    try:
        return RegisteredModel.objects.get(name=name)
    except RegisteredModel.DoesNotExist as error:
        raise NotFound(f"There is no model named {name}.") from error


def version_by_id(version_id: str) -> ModelVersion:
    """A version with its model and manifest; NotFound when there is none."""
    found = _versions().filter(pk=as_uuid(version_id)).first()
    if found is None:
        raise NotFound(f"There is no model version {version_id}.")
    return found


def version_numbered(model_name: str, number: int) -> ModelVersion:
    """One version of a model; NotFound when there is none."""
    found = _versions().filter(model__name=model_name, number=number).first()
    if found is None:
        raise NotFound(f"The model {model_name} has no version {number}.")
    return found


def versions_of(model_name: str) -> QuerySet[ModelVersion]:
    """All versions of a model, newest first."""
    return _versions().filter(model__name=model_name).order_by("-number")


def all_versions() -> QuerySet[ModelVersion]:
    """Every version of every model, with its aliases."""
    return _versions().prefetch_related("aliases").order_by("model__name", "-number")


def _versions() -> QuerySet[ModelVersion]:
    return ModelVersion.objects.select_related("model", "run__manifest", "author")


def version_digest(version: ModelVersion) -> str:
    """What would be signed for now, computed from the rows as they stand."""
    reports = version.reports.values_list("digest", flat=True)
    return _digest(version, reports)


def _digest(version: ModelVersion, reports: Iterable[str]) -> str:
    return signed_digest(
        model_name=version.model.name,
        number=version.number,
        adapter=version.adapter,
        artifacts=version.artifacts,
        signature=version.signature,
        card=version.card,
        manifest_digest=version.run.manifest.digest,
        report_digests=reports,
    )


def missing_reports(version: ModelVersion) -> list[str]:
    """Required evaluators that have not reported on this version."""
    reported = set(version.reports.values_list("evaluator", flat=True))
    return [name for name in settings.PE_REQUIRED_EVALUATORS if name not in reported]


# -- serving ---------------------------------------------------------------------------
def as_servable(version: ModelVersion) -> ServableVersion:
    return ServableVersion(
        id=str(version.pk),
        model_name=version.model.name,
        number=version.number,
        state=version.state,
        digest=version_digest(version),
        adapter=version.adapter,
        artifacts=dict(version.artifacts),
        signature=dict(version.signature),
    )


def version_for_alias(model_name: str, alias: str = PRODUCTION) -> ServableVersion:
    """Where an alias points, approved or not; NotFound when there is no such alias."""
    found = (
        ModelAlias.objects.filter(model__name=model_name, name=alias)
        .select_related("version__model", "version__run__manifest")
        .first()
    )
    if found is None:
        raise NotFound(f"There is no model {model_name} with the alias {alias}.")
    return as_servable(found.version)


def approved_version_for_alias(
    model_name: str, alias: str = PRODUCTION
) -> ServableVersion:
    """As ``version_for_alias``; NotApproved unless its digest was signed for."""
    return _approved(version_for_alias(model_name, alias))


def approved_version_numbered(model_name: str, number: int) -> ServableVersion:
    """One version by number; NotFound, or NotApproved unless it was signed for."""
    return _approved(as_servable(version_numbered(model_name, number)))


def _approved(version: ServableVersion) -> ServableVersion:
    approved_request(SUBJECT_LABEL, version.id, version.digest)
    return version


def version_in_production_at(
    model_name: str, moment: datetime, alias: str = PRODUCTION
) -> ModelVersion | None:
    """The version an alias pointed at then; None before it first moved."""
    change = (
        AliasChange.objects.filter(
            model__name=model_name, alias=alias, changed_at__lte=moment
        )
        .select_related("to_version__model")
        .order_by("-changed_at", "-id")
        .first()
    )
    return change.to_version if change else None


def alias_history(alias: ModelAlias) -> QuerySet[AliasChange]:
    """Every move of an alias, the newest first."""
    return AliasChange.objects.filter(
        model_id=alias.model_id, alias=alias.name
    ).select_related("from_version", "to_version", "changed_by")


# -- training --------------------------------------------------------------------------
def latest_checkpoint(run_id: str) -> Checkpoint | None:
    return Checkpoint.objects.filter(run__pk=run_id).order_by("-step").first()


def lost_runs(now: datetime | None = None) -> QuerySet[TrainingRun]:
    """Running, but whoever ran them has stopped saying so."""
    moment = now or timezone.now()
    return TrainingRun.objects.filter(
        state=TrainingRun.State.RUNNING, lease_expires_at__lt=moment
    )


def run_by_id(run_id: str) -> TrainingRun:
    """A run with its manifest and model; NotFound when there is none."""
    found = (
        TrainingRun.objects.filter(pk=as_uuid(run_id))
        .select_related("manifest__model", "requested_by")
        .first()
    )
    if found is None:
        raise NotFound(f"There is no training run {run_id}.")
    return found


# -- lineage ---------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a version came from. ``datasets`` holds digests by part."""

    version_id: str
    model_name: str
    number: int
    run_id: str
    manifest_digest: str
    datasets: dict[str, str]
    artifacts: dict[str, str]
    code_revision: str


def lineage_of(version: ModelVersion) -> Lineage:
    """Version to run to manifest to dataset digests."""
    manifest = version.run.manifest
    return Lineage(
        version_id=str(version.pk),
        model_name=version.model.name,
        number=version.number,
        run_id=str(version.run_id),
        manifest_digest=manifest.digest,
        datasets=dict(manifest.document["datasets"]),
        artifacts=dict(version.artifacts),
        code_revision=manifest.document["code_revision"],
    )


def manifests_from_dataset(dataset_digest: str) -> QuerySet[TrainingManifest]:
    return TrainingManifest.objects.filter(
        dataset_lines__dataset_digest=dataset_digest
    ).distinct()


def versions_from_dataset(dataset_digest: str) -> QuerySet[ModelVersion]:
    """Every version that a dataset version went into, by training or evaluation."""
    return (
        _versions()
        .filter(
            Q(run__manifest__dataset_lines__dataset_digest=dataset_digest)
            | Q(reports__dataset_digest=dataset_digest)
        )
        .distinct()
    )
