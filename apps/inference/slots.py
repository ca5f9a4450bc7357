"""How many replies may be written at once: by this machine, and for one key.

A model that writes holds a worker for seconds, so a few callers could hold them all. A
slot is a lock on a file, taken without waiting: it is exact over all processes of a
machine, and a process that dies gives it back.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from apps.inference.errors import EveryWorkerBusy, TooManyGenerations

RETRY_AFTER_S = 1.0


@contextmanager
def generation_slot(family_id: uuid.UUID) -> Iterator[None]:
    """Hold a slot of the key's line and one of the machine while the block runs.

    TooManyGenerations or EveryWorkerBusy when there is none left.
    """
    of_key = _taken(f"key-{family_id.hex}", int(settings.PE_GENERATIONS_A_KEY))
    if of_key is None:
        raise TooManyGenerations(
            f"{settings.PE_GENERATIONS_A_KEY} replies are being written for this key.",
            retry_after_s=RETRY_AFTER_S,
        )
    try:
        of_machine = _taken("machine", int(settings.PE_GENERATIONS_AT_ONCE))
        if of_machine is None:
            raise EveryWorkerBusy(
                "As many replies are being written as this machine may write at once.",
                extra={"retry_after_s": RETRY_AFTER_S},
            )
        try:
            yield
        finally:
            os.close(of_machine)
    finally:
        os.close(of_key)


def _taken(name: str, limit: int) -> int | None:
    """An open file whose lock is ours until it is closed; None when all are held."""
    folder = Path(settings.PE_SLOT_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(limit):
        handle = os.open(folder / f"{name}.{number}", os.O_RDWR | os.O_CREAT, 0o640)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            continue
        return handle
    return None
