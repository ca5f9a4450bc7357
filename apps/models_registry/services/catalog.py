"""Registering models, and describing, reopening and retiring their versions."""

from __future__ import annotations

import re

from django.db import IntegrityError, transaction

from apps.accounts.permissions import acting_user, require
from apps.approvals.services import void_if_changed
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.errors import InvalidInput, StateConflict
from apps.models_registry.errors import VersionSealed
from apps.models_registry.models import ModelAlias, ModelVersion, RegisteredModel
from apps.models_registry.selectors import SUBJECT_LABEL, as_uuid, version_by_id
from apps.models_registry.services.states import (
    State,
    move_version,
    record_version_event,
)

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
MOST_CARD_CHARACTERS = 20_000


def register_model(
    *, actor: Actor, name: str, task: str, description: str
) -> RegisteredModel:
    """A new, empty line of versions. StateConflict when the name is taken."""
    require(actor, "models_registry.add_registeredmodel")
    if not NAME.fullmatch(name):
        raise InvalidInput("A name is 1 to 60 of a-z, 0-9, - and _, not - or _ first.")
    if task not in RegisteredModel.Task.values:
        raise InvalidInput(
            f"A task is one of {', '.join(RegisteredModel.Task.values)}."
        )
    if not description.strip():
        raise InvalidInput("Say what the model is for in its description.")
    try:
        with transaction.atomic():
            model = RegisteredModel.objects.create(
                name=name,
                task=task,
                description=description.strip(),
                owner=acting_user(actor),
            )
            record_event(
                actor=actor,
                event="models_registry.model_registered",
                subject=Subject("models_registry.registeredmodel", str(model.pk)),
                details={"name": name, "task": task},
            )
    except IntegrityError as error:
        raise StateConflict(f"There is a model named {name} already.") from error
    return model


@transaction.atomic
def describe_version(*, actor: Actor, version_id: str, card: str) -> ModelVersion:
    """Write a version's card; voids sign-offs that are under way.

    VersionSealed once it is approved, rejected or retired.
    """
    require(actor, "models_registry.submit_modelversion")
    if len(card) > MOST_CARD_CHARACTERS:
        raise InvalidInput(f"A card has at most {MOST_CARD_CHARACTERS} characters.")
    version = open_version(version_id)
    if version.card == card:
        return version
    ModelVersion.objects.filter(pk=version.pk).update(card=card)
    version.card = card
    record_version_event(actor, "version_described", version)
    void_if_changed(actor=actor, subject_label=SUBJECT_LABEL, subject_id=version_id)
    version.refresh_from_db(fields=["state"])
    return version


def open_version(version_id: str) -> ModelVersion:
    """The version, locked; VersionSealed unless its content may still change."""
    ModelVersion.objects.select_for_update().filter(pk=as_uuid(version_id)).first()
    version = version_by_id(version_id)
    if not version.is_open:
        raise VersionSealed(
            f"{version.model.name} version {version.number} is {version.state}: what "
            "was signed for cannot change. Reopen it, or train another version."
        )
    return version


@transaction.atomic
def reopen_version(*, actor: Actor, version_id: str) -> ModelVersion:
    """Approved or rejected back to candidate, to be changed and signed for anew."""
    require(actor, "models_registry.submit_modelversion")
    version = version_by_id(version_id)
    _refuse_while_served(version)
    move_version(version, (State.APPROVED, State.REJECTED), State.CANDIDATE)
    record_version_event(actor, "version_reopened", version)
    return version


@transaction.atomic
def retire_version(*, actor: Actor, version_id: str) -> ModelVersion:
    """Out of use for good; StateConflict while an alias points at it."""
    require(actor, "models_registry.retire_modelversion")
    version = version_by_id(version_id)
    _refuse_while_served(version)
    move_version(
        version,
        (State.DRAFT, State.CANDIDATE, State.APPROVED, State.REJECTED),
        State.RETIRED,
    )
    record_version_event(actor, "version_retired", version)
    return version


def _refuse_while_served(version: ModelVersion) -> None:
    aliases = ModelAlias.objects.select_for_update().filter(version=version)
    names = [alias.name for alias in aliases]
    if names:
        raise StateConflict(
            f"{version.model.name} version {version.number} is {', '.join(names)}: "
            "promote another version first."
        )
