"""From the body of an infer request to the texts in it and the outputs asked for.

Refusals name the tensor and what was expected, never what was sent.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.inference.contracts import ServingRequest
from apps.inference.errors import InvalidField
from apps.inference.open_protocol.tensors import flat_texts, unpacked_texts
from apps.inference.parsing import Limits, parse_json, read_request

TEXT = "text"
# Optional inputs, one element a text; "context" holds JSON lists of earlier turns.
OPTIONAL = ("context", "locale", "participant_ref")
# Parameters of the request that hold for every text in it.
SHARED = ("locale", "participant_ref")
MOST_TEXTS = 32
HEADER_LENGTH = "HTTP_INFERENCE_HEADER_CONTENT_LENGTH"


@dataclass(frozen=True, slots=True)
class WantedOutput:
    name: str
    is_binary: bool


@dataclass(frozen=True, slots=True)
class InferRequest:
    """What was asked. ``id`` is the caller's own; ``wanted`` is None for all outputs,
    which then come in binary form when ``all_binary``."""

    id: str
    columns: Mapping[str, list[str]]
    shared: Mapping[str, str]
    wanted: tuple[WantedOutput, ...] | None
    all_binary: bool

    def serving_requests(
        self, model_name: str, limits: Limits, deadline_ms: float
    ) -> list[ServingRequest]:
        """One request a text, checked like any other; InvalidField or TextTooLong."""
        return [
            read_request(
                {"input": self._input(row)},
                request_id=uuid.uuid4(),
                model_name=model_name,
                limits=limits,
                deadline_ms=deadline_ms,
            )
            for row in range(len(self.columns[TEXT]))
        ]

    def _input(self, row: int) -> dict[str, object]:
        given: dict[str, object] = dict(self.shared)
        for name, values in self.columns.items():
            given[name] = parse_json(values[row].encode()) if name == "context" else (
                values[row]
            )  # fmt: skip
        return given


def read_infer(raw: bytes, header_length: str | None) -> InferRequest:
    """The request in a decoded body.

    ``header_length`` is the field ``Inference-Header-Content-Length``: how many bytes
    of the body are JSON. Raises InvalidBody or InvalidField.
    """
    size = _size(header_length, len(raw))
    body = parse_json(raw[:size])
    if not isinstance(body, dict):
        raise InvalidField("The body has to be a JSON object.")
    parameters = _parameters(body, "The request")
    columns = _columns(body.get("inputs"), raw[size:])
    return InferRequest(
        id=_text(body.get("id", ""), '"id"'),
        columns=columns,
        shared={
            name: _text(parameters[name], f'The parameter "{name}"')
            for name in SHARED
            if name in parameters
        },
        wanted=_wanted(body.get("outputs")),
        all_binary=parameters.get("binary_data_output") is True,
    )


def _size(header_length: str | None, whole: int) -> int:
    if header_length is None:
        return whole
    if not header_length.isascii() or not header_length.isdigit():
        raise InvalidField("Inference-Header-Content-Length has to be a number.")
    size = int(header_length)
    if size > whole:
        raise InvalidField("Inference-Header-Content-Length exceeds the body.")
    return size


# Any: JSON values of unknown shape, narrowed here and below.
def _columns(inputs: Any, binary: bytes) -> dict[str, list[str]]:
    if not isinstance(inputs, list) or not all(isinstance(i, dict) for i in inputs):
        raise InvalidField('"inputs" has to be a list of tensors.')
    columns: dict[str, list[str]] = {}
    for tensor in inputs:
        name = tensor.get("name")
        if name not in (TEXT, *OPTIONAL) or name in columns:
            raise InvalidField(
                f'Inputs are "{TEXT}" and, each at most once, {", ".join(OPTIONAL)}.'
            )
        columns[name], binary = _values(tensor, f'The input "{name}"', binary)
    if binary:
        raise InvalidField("Bytes follow the last binary tensor.")
    _check_counts(columns)
    return columns


def _check_counts(columns: Mapping[str, list[str]]) -> None:
    count = len(columns.get(TEXT, []))
    if not 1 <= count <= MOST_TEXTS:
        raise InvalidField(
            f'The input "{TEXT}" has to hold 1 to {MOST_TEXTS} texts; larger amounts '
            "go to /api/v1/batches."
        )
    if any(len(values) != count for values in columns.values()):
        raise InvalidField("All inputs need as many elements as there are texts.")


def _values(
    tensor: Mapping[str, Any], where: str, binary: bytes
) -> tuple[list[str], bytes]:
    """The tensor's elements, and the binary data behind its own."""
    if tensor.get("datatype") != "BYTES":
        raise InvalidField(f"{where} has to have the datatype BYTES.")
    size = _parameters(tensor, where).get("binary_data_size")
    if size is None:
        values = flat_texts(tensor.get("data"), where)
    else:
        if not isinstance(size, int) or not 0 <= size <= len(binary):
            raise InvalidField(f"{where} has a binary_data_size beyond the body.")
        values, binary = unpacked_texts(binary[:size], where), binary[size:]
    shape = tensor.get("shape")
    if not isinstance(shape, list) or not all(_is_size(n) for n in shape):
        raise InvalidField(f"{where} needs a shape of whole numbers.")
    if math.prod(shape) != len(values):
        raise InvalidField(f"{where} has another number of elements than its shape.")
    return values, binary


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _wanted(outputs: Any) -> tuple[WantedOutput, ...] | None:
    if outputs is None or outputs == []:
        return None
    if not isinstance(outputs, list) or not all(isinstance(o, dict) for o in outputs):
        raise InvalidField('"outputs" has to be a list of objects with names.')
    return tuple(
        WantedOutput(
            _text(output.get("name"), "The name of an output"),
            _parameters(output, "An output").get("binary_data") is True,
        )
        for output in outputs
    )


def _parameters(holder: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    given = holder.get("parameters", {})
    if not isinstance(given, dict):
        raise InvalidField(f"{where} has parameters that are no object.")
    return given


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise InvalidField(f"{where} has to be a string.")
    return value
