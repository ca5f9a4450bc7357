"""Frozen datasets, manifests and versions, made with the services that staff use."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from apps.accounts.roles import Role
from apps.approvals.models import ApprovalRequest
from apps.approvals.services import sign
from apps.core.actors import Actor
from apps.datasets import services as dataset_services
from apps.datasets.contracts import FileFormat
from apps.datasets.models import DatasetVersion
from apps.datasets.services import DatasetDescription
from apps.models_registry import services
from apps.models_registry.contracts import Direction, Metric, ReportDraft
from apps.models_registry.models import MetricPoint, ModelVersion, TrainingRun

DEMO = Path(__file__).resolve().parents[2] / "demo"
# Small enough for a training of well under a second, yet all categories.
PER_CATEGORY = {"train": 6, "dev": 1, "test": 3}
QUICK = {
    "epochs": 6, "batch_size": 8, "buckets": 256, "dimension": 8,
    "checkpoint_every": 10, "log_every": 5,
}  # fmt: skip
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
UNKNOWN_DIGEST = "sha256:" + "0" * 64


def demo_rows(name: str) -> Iterator[dict[str, str]]:
    for line in (DEMO / name).read_text().splitlines():
        yield json.loads(line)


def some_messages() -> list[dict[str, str]]:
    """A few demo messages of each category and split."""
    kept: Counter[tuple[str, str]] = Counter()
    rows = []
    for row in demo_rows("support_messages.jsonl"):
        key = (row["category"], row["split"])
        if kept[key] < PER_CATEGORY[row["split"]]:
            kept[key] += 1
            rows.append(row)
    return rows


def some_replies() -> list[dict[str, str]]:
    """Two approved replies of each category."""
    return [
        row
        for row in demo_rows("reply_library.jsonl")
        if row["id"].endswith(("-01", "-02"))
    ]


def sign_pending(subject_id: str, *signers: Actor) -> None:
    """Each of these people signs for the pending request of a subject."""
    request = ApprovalRequest.objects.get(
        subject_id=subject_id, state=ApprovalRequest.State.PENDING
    )
    for signer in signers:
        sign(
            actor=signer,
            request_id=str(request.pk),
            approve=True,
            meaning="I read the evidence",
            reason="Fit for its purpose",
        )


def ingest(
    operator: Actor, name: str, rows: list[dict[str, str]], schema: str
) -> DatasetVersion:
    """A draft version of a new dataset with the schema of a demo file."""
    dataset = dataset_services.create_dataset(
        actor=operator,
        description=DatasetDescription(
            name,
            name,
            "For tests.",
            "CC0-1.0",
            json.loads((DEMO / f"{schema}.schema.json").read_text()),
        ),
    )
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    return dataset_services.ingest_version(
        actor=operator,
        dataset=dataset,
        source=io.BytesIO(content),
        file_format=FileFormat.JSONL,
    )


def freeze(
    operator: Actor, version: DatasetVersion, signers: tuple[Actor, Actor]
) -> DatasetVersion:
    version_id = str(version.pk)
    dataset_services.validate_version(actor=operator, version_id=version_id)
    dataset_services.submit_version(actor=operator, version_id=version_id)
    sign_pending(version_id, *signers)
    return dataset_services.freeze_version(actor=operator, version_id=version_id)


def manifest_document(
    messages: str, replies: str, **changes: object
) -> dict[str, object]:
    return {
        "schema_version": 1,
        "model": "support-reply",
        "runner": {"name": "reply_ranker", "version": "1"},
        "datasets": {"messages": messages, "replies": replies},
        "hyperparameters": dict(QUICK),
        "seed": 11,
        "compute": {"device": "cpu"},
        "code_revision": "test",
        **changes,
    }


def report(
    evaluator: str, dataset: str = UNKNOWN_DIGEST, **changes: object
) -> ReportDraft:
    metric = Metric("share", 0.9, "share", 10, Direction.HIGHER, 0.6, 0.98)
    return ReportDraft(
        **{
            "evaluator": evaluator,
            "evaluator_version": "1",
            "dataset_digest": dataset,
            "seed": 3,
            "metrics": (metric,),
            **changes,
        }
    )


def measure(actor: Actor, version: ModelVersion) -> None:
    """Every required report, with made-up numbers."""
    for evaluator in ("accuracy", "fairness", "safety"):
        services.record_report(
            actor=actor, version_id=str(version.pk), report=report(evaluator)
        )
    version.refresh_from_db()


def two_signers(acting: Callable[..., Actor]) -> tuple[Actor, Actor]:
    return acting("rena", Role.REVIEWER), acting("clara", Role.CLINICIAN)


def numbers(run: TrainingRun) -> dict[tuple[int, str], float]:
    """Every metric of a run by step and name."""
    points = MetricPoint.objects.filter(run=run)
    return {(point.step, point.name): point.value for point in points}
