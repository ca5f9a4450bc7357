"""The database refuses what the services would never write."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core.errors import NotPermitted
from apps.models_registry import services
from apps.models_registry.models import (
    AliasChange,
    Artifact,
    Checkpoint,
    EvaluationReport,
    ManifestDataset,
    MetricPoint,
    ModelAlias,
    ModelVersion,
    RegisteredModel,
    TrainingRun,
)
from tests.models_registry import stages

pytestmark = pytest.mark.django_db


def refused(name, write, last_column="nothing"):
    """``write`` breaks the constraint of this name.

    SQLite names the columns of a unique constraint instead, ``last_column`` last.
    """
    with pytest.raises(IntegrityError) as raised, transaction.atomic():
        write()
    message = str(raised.value)
    assert name in message or message.endswith(f".{last_column}")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("run_lease_only_while_running", {"lease_owner": "w"}),
        ("run_lease_only_while_running", {"state": "running"}),
        ("run_finished_when_closed", {"state": "succeeded"}),
        ("run_finished_when_closed", {"finished_at": timezone.now()}),
        ("run_failure_has_a_code", {"failure_code": "x"}),
        ("run_token_grows_with_attempts", {"attempts": 3}),
    ],
)
def test_a_run_cannot_contradict_itself(queued, name, values):
    refused(name, lambda: TrainingRun.objects.filter(pk=queued.pk).update(**values))


def test_a_failed_run_needs_a_code(queued):
    refused(
        "run_failure_has_a_code",
        lambda: TrainingRun.objects.filter(pk=queued.pk).update(
            state="failed", finished_at=timezone.now()
        ),
    )


def copy(row, **values):
    """An equal row beside this one."""
    row.pk = None
    row._state.adding = True
    for name, value in values.items():
        setattr(row, name, value)
    row.save(force_insert=True)


@pytest.mark.parametrize(
    ("name", "rows", "last_column"),
    [
        ("metric_once_per_step", MetricPoint, "name"),
        ("checkpoint_once_per_step", Checkpoint, "step"),
        ("manifest_part_once", ManifestDataset, "part"),
        ("report_once_per_measurement", EvaluationReport, "seed"),
        ("models_registry_modelversion_run_id", ModelVersion, "run_id"),
        ("models_registry_registeredmodel_name", RegisteredModel, "name"),
    ],
)
def test_nothing_governed_is_there_twice(candidate, name, rows, last_column):
    row = rows.objects.first()
    changes = {"number": 2} if rows is ModelVersion else {}

    refused(name, lambda: copy(row, **changes), last_column)


def test_a_version_number_is_given_once(operator, candidate):
    run = services.queue_run(actor=operator, manifest_id=str(candidate.run.manifest_id))

    refused("version_number_once_per_model", lambda: copy(candidate, run=run), "number")


def test_an_alias_is_there_once(candidate):
    alias = ModelAlias.objects.create(
        model=candidate.model,
        name="production",
        version=candidate,
        changed_at=timezone.now(),
    )

    refused("alias_once_per_model", lambda: copy(alias), "name")


@pytest.mark.parametrize(
    ("name", "rows", "values"),
    [
        ("version_number_from_one", ModelVersion, {"number": 0}),
        ("report_digest_is_sha256", EvaluationReport, {"digest": "md5:1"}),
        ("model_has_a_name", RegisteredModel, {"name": ""}),
    ],
)
def test_columns_hold_what_they_say(candidate, name, rows, values):
    refused(name, lambda: rows.objects.update(**values))


def test_artifacts_are_named_by_sha256(media):
    refused(
        "artifact_digest_is_sha256",
        lambda: Artifact.objects.create(
            digest="md5:1", kind="json", size_bytes=1, path="p"
        ),
    )


@pytest.fixture
def change(candidate):
    return AliasChange.objects.create(
        model=candidate.model,
        alias="production",
        to_version=candidate,
        to_digest=stages.UNKNOWN_DIGEST,
        approval_id=stages.UNKNOWN_ID,
        reason="r",
        changed_by=candidate.author,
        changed_at=timezone.now(),
    )


def test_an_alias_change_goes_somewhere(candidate, change):
    refused(
        "alias_change_moves",
        lambda: copy(change, from_version=candidate),
    )


@pytest.mark.parametrize(
    "tamper",
    [
        lambda row: row.delete(),
        lambda row: row.save(),
        lambda row: AliasChange.objects.update(reason="other"),
        lambda row: AliasChange.objects.all().delete(),
    ],
)
def test_the_history_of_an_alias_is_append_only(change, tamper):
    with pytest.raises(NotPermitted):
        tamper(change)


def test_rows_name_themselves_without_queries(candidate, change):
    named = [
        change, candidate, candidate.model, candidate.run, candidate.run.manifest,
        MetricPoint.objects.first(), Checkpoint.objects.first(),
        Artifact.objects.first(), EvaluationReport.objects.first(),
        ManifestDataset.objects.first(), ModelAlias(name="production"),
    ]  # fmt: skip

    assert all(str(row) for row in named)
