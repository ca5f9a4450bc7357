"""Measuring versions: evaluators run here, their reports are the registry's rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache

from django.conf import settings

from apps.accounts.permissions import require
from apps.core.actors import Actor
from apps.core.errors import InvalidInput, NotFound
from apps.core.plugins import load_family
from apps.datasets.models import DatasetVersion
from apps.datasets.selectors import frozen_version, iter_rows, versions_of
from apps.experiments.contracts import Evaluator, LibraryReply, Sample, Subject
from apps.experiments.gated import gated_path
from apps.models_registry.artifacts import open_verified
from apps.models_registry.contracts import ModelAdapter, ReportDraft, ServableVersion
from apps.models_registry.models import EvaluationReport, ModelVersion
from apps.models_registry.selectors import as_servable, as_uuid, version_by_id
from apps.models_registry.services import record_report, request_evaluation
from apps.models_registry.serving import load_adapter

DEFAULT_SEED = 20_000


def evaluator_named(name: str) -> Evaluator:
    """A new evaluator; InvalidInput when there is none of this name."""
    family = load_family(settings.PE_EVALUATORS, Evaluator)  # type: ignore[type-abstract]
    if name not in family:
        raise InvalidInput(
            f"There is no evaluator {name!r}; there are {', '.join(sorted(family))}."
        )
    return family[name]()


def evaluate_version(
    *,
    actor: Actor,
    version_id: str,
    evaluators: Sequence[str],
    dataset_digest: str,
    seed: int = DEFAULT_SEED,
) -> list[EvaluationReport]:
    """Measure a version on one frozen dataset version; one report an evaluator.

    Raises NotFound or NotFrozen for the dataset, DatasetDoesNotFit when it lacks what
    an evaluator needs. Reports before the one that failed stand.
    """
    require(actor, "models_registry.evaluate_modelversion")
    chosen = [evaluator_named(name) for name in evaluators]
    dataset = frozen_version(dataset_digest)
    servable = as_servable(version_by_id(version_id))
    adapter = load_adapter(servable)
    try:
        subject = _subject(servable, adapter, dataset, seed)
        return [_report(actor, version_id, one, subject, dataset) for one in chosen]
    finally:
        adapter.unload()


def evaluate_required(*, actor: Actor, version_id: str) -> list[EvaluationReport]:
    """Every required evaluator, each on the dataset that is meant for it.

    That is the manifest's messages, and the newest frozen version of the safety suite.
    """
    version = version_by_id(version_id)
    reports = []
    for name in settings.PE_REQUIRED_EVALUATORS:
        digest = dataset_for(version, evaluator_named(name))
        reports += evaluate_version(
            actor=actor, version_id=version_id, evaluators=[name], dataset_digest=digest
        )
    return reports


def queue_evaluation(*, actor: Actor, version_id: str) -> None:
    """Have a worker write every required report; safe to ask for twice.

    The registry sends it, since its screens below this app offer the same.
    """
    request_evaluation(actor=actor, version_id=version_id)


def dataset_for(version: ModelVersion, evaluator: Evaluator) -> str:
    """The digest an evaluator measures on by default; NotFound when there is none."""
    if evaluator.part != "safety_suite":
        named: dict[str, str] = version.run.manifest.document["datasets"]
        if evaluator.part not in named:
            raise NotFound(f"The manifest names no dataset as {evaluator.part}.")
        return named[evaluator.part]
    suite = settings.PE_SAFETY_SUITE_DATASET
    found = versions_of(suite).filter(state=DatasetVersion.State.FROZEN).first()
    if found is None:
        raise NotFound(f"The dataset {suite} has no frozen version: freeze one first.")
    return found.digest


def _report(
    actor: Actor,
    version_id: str,
    evaluator: Evaluator,
    subject: Subject,
    dataset: DatasetVersion,
) -> EvaluationReport:
    metrics = evaluator.evaluate(subject)
    seed = subject.seed if evaluator.repeats else _next_seed(version_id, evaluator)
    return record_report(
        actor=actor,
        version_id=version_id,
        report=ReportDraft(
            evaluator=evaluator.name,
            evaluator_version=evaluator.version,
            dataset_digest=dataset.digest,
            seed=seed,
            metrics=metrics,
        ),
    )


def _next_seed(version_id: str, evaluator: Evaluator) -> int:
    """What was measured on a clock is numbered: each report is a measurement."""
    earlier = EvaluationReport.objects.filter(
        version_id=as_uuid(version_id), evaluator=evaluator.name
    )
    return earlier.count()


def _subject(
    version: ServableVersion, adapter: ModelAdapter, dataset: DatasetVersion, seed: int
) -> Subject:
    def samples() -> Iterator[Sample]:
        return iter(iter_rows(dataset))

    return Subject(
        samples=samples,
        predict=adapter.predict,
        replies=_library(version),
        gates=cache(gated_path),
        seed=seed,
    )


def _library(version: ServableVersion) -> tuple[LibraryReply, ...]:
    digest = version.artifacts.get("replies.json")
    if digest is None:
        return ()
    return tuple(
        LibraryReply(row["id"], row["category"], row["text"])
        for row in json.loads(open_verified(digest).content)
    )
