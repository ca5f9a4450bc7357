"""Moving a version between states: conditional, so that only one of two movers does."""

from __future__ import annotations

from collections.abc import Mapping

from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.errors import StateConflict
from apps.models_registry.models import ModelVersion
from apps.models_registry.selectors import SUBJECT_LABEL, version_digest

State = ModelVersion.State


def move_version(
    version: ModelVersion, from_states: tuple[State, ...], to_state: State
) -> None:
    """StateConflict when it is in another state by now; call in a transaction."""
    moved = ModelVersion.objects.filter(
        pk=version.pk, state__in=[state.value for state in from_states]
    ).update(state=to_state)
    if moved != 1:
        raise StateConflict(
            f"{version.model.name} version {version.number} is {version.state}; this "
            f"needs it to be {' or '.join(state.value for state in from_states)}."
        )
    version.state = to_state


def record_version_event(
    actor: Actor,
    event: str,
    version: ModelVersion,
    details: Mapping[str, object] | None = None,
) -> None:
    record_event(
        actor=actor,
        event=f"models_registry.{event}",
        subject=Subject(SUBJECT_LABEL, str(version.pk), version_digest(version)),
        details={
            "model": version.model.name,
            "number": version.number,
            **(details or {}),
        },
    )
