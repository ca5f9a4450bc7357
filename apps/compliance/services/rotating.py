"""Putting everything under the current key-encryption key, a batch at a time.

Each value is replaced by a conditional update and the place is noted after each batch:
a rotation that is killed goes on where it was, and one that runs beside the platform
loses nothing that is written meanwhile. An old key is retired only after a second look
found nothing under it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from django.db import transaction
from django.utils import timezone

from apps.accounts.permissions import require
from apps.audit.services import record_event
from apps.compliance.models import KeyRotation
from apps.core.actors import Actor, Subject
from apps.core.errors import PlatformError
from apps.core.keys.canary import ensure_canary, known_key_ids, retire_canary
from apps.core.keys.stores import (
    SealedItem,
    SealedStore,
    is_stale,
    reseal,
    sealed_stores,
)
from apps.core.keys.subjects import all_keys, forget_opened_keys, rewrap_key
from apps.core.keys.wrapping import key_wrapper
from apps.core.sealing import key_id_of

SUBJECT_KEYS = "subject-keys"
BATCH = 200
logger = logging.getLogger(__name__)
Progress = Callable[[KeyRotation], None]


def rotate_keys(*, actor: Actor, progress: Progress | None = None) -> KeyRotation:
    """Put all sealed data under the current key and retire the keys nothing needs.

    Goes on with an unfinished rotation to the same key. Old keys stay in use, and the
    row says how many values failed, when some could not be opened. Raises NotPermitted
    without ``compliance.rotate_keys``; KeysUnavailable when keys cannot be used, after
    which it can be run again.
    """
    require(actor, "compliance.rotate_keys")
    ensure_canary()
    rotation = _begun(actor)
    stores = sealed_stores()
    names = [SUBJECT_KEYS, *stores]
    start = names.index(rotation.store) if rotation.store in names else 0
    for name in names[start:]:
        if name != rotation.store:
            rotation.store, rotation.position = name, ""
        passes = (
            _keys(rotation) if name == SUBJECT_KEYS else _values(rotation, stores[name])
        )
        for _ in passes:
            rotation.save()
            if progress:
                progress(rotation)
    _finish(actor, rotation)
    return rotation


def _begun(actor: Actor) -> KeyRotation:
    target = key_wrapper().current_id()
    found = KeyRotation.objects.filter(target=target, finished_at=None).first()
    if found is not None:
        return found
    total = sum(1 for _ in all_keys())
    total += sum(store.count() for store in sealed_stores().values())
    with transaction.atomic():
        rotation = KeyRotation.objects.create(
            target=target,
            started_at=timezone.now(),
            started_by=actor.label,
            total=total,
        )
        _record(actor, "compliance.key_rotation_started", rotation)
    return rotation


def _keys(rotation: KeyRotation) -> Iterator[None]:
    for number, found in enumerate(all_keys(), start=1):
        if found.subject <= rotation.position:
            continue
        try:
            rotation.changed += rewrap_key(found)
        except PlatformError as error:
            _note_failure(rotation, error)
        rotation.position = found.subject
        rotation.done += 1
        if number % BATCH == 0:
            yield
    yield


def _values(rotation: KeyRotation, store: SealedStore) -> Iterator[None]:
    while items := store.items(rotation.position, BATCH):
        for item in items:
            try:
                if is_stale(item):
                    rotation.changed += store.replace(item, reseal(item))
            except PlatformError as error:
                _note_failure(rotation, error)
        rotation.position = items[-1].place
        rotation.done += len(items)
        yield


def _note_failure(rotation: KeyRotation, error: PlatformError) -> None:
    rotation.failed += 1
    logger.error("A sealed value was left under its old key", exc_info=error)


def _finish(actor: Actor, rotation: KeyRotation) -> None:
    """Retire what a second look finds unused; one transaction with its audit entry."""
    in_use = _key_ids_in_use()
    retired = [one for one in known_key_ids() if one not in in_use]
    retired = [one for one in retired if one != rotation.target]
    with transaction.atomic():
        rotation.finished_at = timezone.now()
        rotation.save()
        _record(
            actor,
            "compliance.key_rotation_finished",
            rotation,
            changed=rotation.changed,
            failed=rotation.failed,
            retired=retired,
        )
    for key_id in retired:
        retire_canary(key_id)
    forget_opened_keys()


def _key_ids_in_use() -> set[str]:
    found = {key.wrapped.key_id for key in all_keys()}
    for store in sealed_stores().values():
        found |= {key_id_of(item.sealed) for item in _all(store)}
    return found


def _all(store: SealedStore) -> Iterator[SealedItem]:
    place = ""
    while items := store.items(place, BATCH):
        yield from items
        place = items[-1].place


def _record(actor: Actor, event: str, rotation: KeyRotation, **details: object) -> None:
    record_event(
        actor=actor,
        event=event,
        subject=Subject("compliance.keyrotation", str(rotation.pk)),
        details={"target": rotation.target, "total": rotation.total, **details},
    )
