"""Fixtures of the registry's journey, shared with the evaluators' tests."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from celery import current_app
from celery._state import _announce_app_finalized
from kombu.exceptions import OperationalError
from pytest_django import Settings

from apps.accounts.roles import Role
from apps.core.actors import Actor
from apps.datasets.models import DatasetVersion
from apps.models_registry import services, serving
from apps.models_registry.models import (
    ModelVersion,
    RegisteredModel,
    TrainingManifest,
    TrainingRun,
)
from apps.models_registry.training import run_training
from tests.models_registry import stages


@pytest.fixture
def media(tmp_path: Path, settings: Settings) -> Path:
    """The storage folder of this test alone."""
    settings.MEDIA_ROOT = tmp_path / "media"
    serving.process_pool.cache_clear()
    return tmp_path / "media"


@pytest.fixture
def registered_tasks() -> None:
    """Every shared task, whatever warning stopped Celery registering them before."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        current_app.finalize(auto=True)
        _announce_app_finalized(current_app._get_current_object())


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str], str]]:
    """What would have left for the broker: task, arguments, queue."""
    kept: list[tuple[str, list[str], str]] = []

    def keep(name: str, *, args: list[str], queue: str) -> None:
        kept.append((name, args, queue))

    monkeypatch.setattr(current_app, "send_task", keep)
    return kept


@pytest.fixture
def broken_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(current_app, "send_task", fail)


@pytest.fixture
def operator(acting: Callable[..., Actor]) -> Actor:
    return acting("olga", Role.OPERATOR)


@pytest.fixture
def signers(acting: Callable[..., Actor]) -> tuple[Actor, Actor]:
    return stages.two_signers(acting)


@pytest.fixture
def messages(
    media: Path, operator: Actor, signers: tuple[Actor, Actor]
) -> DatasetVersion:
    draft = stages.ingest(
        operator, "messages", stages.some_messages(), "support_messages"
    )
    return stages.freeze(operator, draft, signers)


@pytest.fixture
def replies(
    media: Path, operator: Actor, signers: tuple[Actor, Actor]
) -> DatasetVersion:
    draft = stages.ingest(operator, "replies", stages.some_replies(), "reply_library")
    return stages.freeze(operator, draft, signers)


@pytest.fixture
def model(operator: Actor) -> RegisteredModel:
    return services.register_model(
        actor=operator,
        name="support-reply",
        task="support_reply",
        description="Ranks approved replies.",
    )


@pytest.fixture
def document(
    messages: DatasetVersion, replies: DatasetVersion, model: RegisteredModel
) -> dict[str, object]:
    return stages.manifest_document(messages.digest, replies.digest)


@pytest.fixture
def manifest(operator: Actor, document: dict[str, object]) -> TrainingManifest:
    return services.create_manifest(actor=operator, document=document)


@pytest.fixture
def queued(operator: Actor, manifest: TrainingManifest) -> TrainingRun:
    return services.queue_run(actor=operator, manifest_id=str(manifest.pk))


@pytest.fixture
def trained(queued: TrainingRun) -> ModelVersion:
    """A draft version out of a real training."""
    version = run_training(str(queued.pk))
    assert version is not None
    return version


@pytest.fixture
def candidate(operator: Actor, trained: ModelVersion) -> ModelVersion:
    stages.measure(operator, trained)
    return trained


@pytest.fixture
def approve(
    operator: Actor, signers: tuple[Actor, Actor]
) -> Callable[[ModelVersion], ModelVersion]:
    """Submit a candidate and have both people sign."""

    def make(version: ModelVersion) -> ModelVersion:
        services.submit_version(actor=operator, version_id=str(version.pk))
        stages.sign_pending(str(version.pk), *signers)
        version.refresh_from_db()
        return version

    return make


@pytest.fixture
def train_another(
    operator: Actor, document: dict[str, object]
) -> Callable[[int], ModelVersion]:
    """A further candidate, trained with another seed."""

    def make(seed: int) -> ModelVersion:
        manifest = services.create_manifest(
            actor=operator, document={**document, "seed": seed}
        )
        run = services.queue_run(actor=operator, manifest_id=str(manifest.pk))
        version = run_training(str(run.pk))
        assert version is not None
        stages.measure(operator, version)
        return version

    return make
