"""What a model's worker process and its owner say to one another.

A message is a JSON header and raw arrays, nothing that could carry code. Both sides
import this module, so it knows neither Django nor any tensor library.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import numpy.typing as npt

# Any: whatever dtypes a model takes and gives.
Arrays = Sequence[npt.NDArray[Any]]
_LENGTH = struct.Struct(">I")
DTYPES = frozenset({"int64", "int32", "float32", "float16", "float64"})


def send(link: Connection, header: Mapping[str, object], arrays: Arrays = ()) -> None:
    """One message. OSError when the other side is gone."""
    whole = [np.ascontiguousarray(array) for array in arrays]
    shapes = [[str(array.dtype), list(array.shape)] for array in whole]
    head = json.dumps({**header, "arrays": shapes}).encode()
    parts = [_LENGTH.pack(len(head)), head, *(array.tobytes() for array in whole)]
    link.send_bytes(b"".join(parts))


# Any: a JSON object, and arrays of whatever dtypes were sent.
def receive(link: Connection) -> tuple[dict[str, Any], list[npt.NDArray[Any]]]:
    """The next message. EOFError when the other side is gone, ValueError when the
    message is not of the form that ``send`` gives it."""
    raw = link.recv_bytes()
    (length,) = _LENGTH.unpack_from(raw)
    at = _LENGTH.size + length
    header = json.loads(raw[_LENGTH.size : at])
    arrays = []
    for dtype, shape in header.pop("arrays"):
        if dtype not in DTYPES:
            raise ValueError("unknown dtype")
        count = int(np.prod(shape, dtype=np.int64))
        arrays.append(np.frombuffer(raw, dtype, count, at).reshape(shape))
        at += arrays[-1].nbytes
    return header, arrays
