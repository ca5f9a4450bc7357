"""Tensors of the Open Inference Protocol as bytes: in JSON, or binary behind it.

The binary form is Triton's *binary tensor data* extension, which official clients use
unless told otherwise: after the JSON come the tensors' bytes, a BYTES element being its
length (4 bytes, little-endian) and its content.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.inference.errors import InvalidField

_LENGTH = struct.Struct("<I")
_FLOAT = struct.Struct("<f")
MOST_DIMENSIONS = 4


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named array, flattened in row-major order."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: Sequence[str] | Sequence[float]

    def as_json(self) -> dict[str, object]:
        return {**self._described(), "data": list(self.values)}

    def as_binary(self) -> tuple[dict[str, object], bytes]:
        """What the JSON says of it, and its bytes."""
        raw = b"".join(map(_packed, self.values))
        return {**self._described(), "parameters": {"binary_data_size": len(raw)}}, raw

    def _described(self) -> dict[str, object]:
        return {
            "name": self.name,
            "datatype": self.datatype,
            "shape": list(self.shape),
        }


def _packed(value: str | float) -> bytes:
    if isinstance(value, str):
        raw = value.encode()
        return _LENGTH.pack(len(raw)) + raw
    return _FLOAT.pack(value)


def unpacked_texts(raw: bytes, where: str) -> list[str]:
    """The elements of a binary BYTES tensor; InvalidField when they do not add up."""
    texts, at = [], 0
    while at < len(raw):
        if at + _LENGTH.size > len(raw):
            raise InvalidField(f"{where} ends inside the length of an element.")
        (length,) = _LENGTH.unpack_from(raw, at)
        at += _LENGTH.size
        if at + length > len(raw):
            raise InvalidField(f"{where} ends inside an element.")
        try:
            texts.append(raw[at : at + length].decode())
        except UnicodeDecodeError as error:
            raise InvalidField(
                f"{where} holds an element that is not UTF-8."
            ) from error
        at += length
    return texts


# Any: a JSON value of unknown shape.
def flat_texts(data: Any, where: str, depth: int = 0) -> list[str]:
    """Strings of a JSON ``data`` member, which may be flat or nested like its shape."""
    if isinstance(data, str):
        return [data]
    if not isinstance(data, list) or depth > MOST_DIMENSIONS:
        raise InvalidField(f"{where} has to be strings, or lists of them.")
    return [text for part in data for text in flat_texts(part, where, depth + 1)]
