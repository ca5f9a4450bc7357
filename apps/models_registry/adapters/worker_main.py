"""The loop of a worker process: load once, answer until the owner is gone.

Files are hashed again before they are read. What goes wrong is answered by the name of
its class alone; nothing is written anywhere.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy.typing as npt

from apps.core.digests import digest_file
from apps.models_registry.adapters import worker_wire as wire

# Any: arrays of the model's dtypes, and options as JSON gave them.
Answer = Callable[[list[npt.NDArray[Any]]], npt.NDArray[Any]]
Load = Callable[[Path, Mapping[str, Any]], Answer]


class FilesChanged(Exception):
    """A file is not the one whose digest the owner verified."""


def serve(load: Load) -> None:
    """Speak with the owner over the descriptor that the command line names."""
    link = Connection(int(sys.argv[1]))
    try:
        order, _ = wire.receive(link)
        try:
            answer = _loaded(load, order)
        except Exception as error:  # noqa: BLE001 - adapter boundary, told to the owner
            wire.send(link, {"error": type(error).__name__})
            return
        wire.send(link, {"memory_bytes": _resident_bytes()})
        while True:
            _, arrays = wire.receive(link)
            try:
                found = answer(arrays)
            except Exception as error:  # noqa: BLE001 - adapter boundary, told to the owner
                wire.send(link, {"error": type(error).__name__})
            else:
                wire.send(link, {}, [found])
    except (EOFError, OSError):
        # The owner is gone, and so is the reason to be here.
        return


def _loaded(load: Load, order: Mapping[str, Any]) -> Answer:
    folder = Path(order["folder"])
    for name, digest in order["digests"].items():
        if digest_file(folder / name) != digest:
            raise FilesChanged(name)
    return load(folder, order["options"])


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
