"""From what the gated path delivered to tensors.

Reads the body that was closed and is durable, and nothing else: a word that is not in
it cannot get into a tensor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from apps.inference.errors import InvalidField
from apps.inference.open_protocol.reading import InferRequest, WantedOutput
from apps.inference.open_protocol.tensors import Tensor
from apps.inference.services import Outgoing

# Outputs by name: datatype, shape a text, what it is.
OUTPUTS: dict[str, tuple[str, tuple[int, ...]]] = {
    "text": ("BYTES", ()),
    "source": ("BYTES", ()),
    "decision": ("BYTES", ()),
    "request_id": ("BYTES", ()),
    "contacts": ("BYTES", ()),
    "labels": ("BYTES", (-1,)),
    "scores": ("FP32", (-1,)),
}


@dataclass(frozen=True, slots=True)
class Packed:
    """A response body; ``header_bytes`` of it are JSON when tensors follow."""

    body: bytes
    header_bytes: int | None = None


def check_wanted(asked: InferRequest) -> None:
    """InvalidField for an output that there is not."""
    if any(output.name not in OUTPUTS for output in asked.wanted or ()):
        raise InvalidField(f"Outputs are: {', '.join(OUTPUTS)}.")


# Any: the members of the native response body.
def delivered(sent: Outgoing) -> dict[str, Any]:
    """The native answer as it was sent."""
    body: dict[str, Any] = orjson.loads(sent.body)
    return body


def tensors_of(answers: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
    """Every output. ``labels`` and ``scores`` have as many columns as the model has
    labels, best first; a text that the gates answered has empty ones, with score 0."""
    count = len(answers)
    ranked = [_ranked(answer["output"]["labels"]) for answer in answers]
    width = max(map(len, ranked))
    rows = [row + [("", 0.0)] * (width - len(row)) for row in ranked]
    columns: dict[str, list[str]] = {
        "text": [answer["output"]["text"] for answer in answers],
        "source": [answer["output"]["source"] for answer in answers],
        "decision": [answer["decision"] for answer in answers],
        "request_id": [answer["id"] for answer in answers],
        "contacts": [orjson.dumps(answer["contacts"]).decode() for answer in answers],
    }
    found = {name: Tensor(name, "BYTES", (count,), v) for name, v in columns.items()}
    cells = [cell for row in rows for cell in row]
    shape = (count, width)
    found["labels"] = Tensor("labels", "BYTES", shape, [name for name, _ in cells])
    found["scores"] = Tensor("scores", "FP32", shape, [score for _, score in cells])
    return found


def _ranked(labels: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(labels.items(), key=lambda pair: (-pair[1], pair[0]))


def packed(
    asked: InferRequest, model: str, answers: Sequence[dict[str, Any]]
) -> Packed:
    """The response with the outputs asked for, binary where asked."""
    wanted = asked.wanted or tuple(
        WantedOutput(name, asked.all_binary) for name in OUTPUTS
    )
    tensors = tensors_of(answers)
    described: list[dict[str, object]] = []
    behind: list[bytes] = []
    for output in wanted:
        tensor = tensors[output.name]
        if not output.is_binary:
            described.append(tensor.as_json())
            continue
        head, raw = tensor.as_binary()
        described.append(head)
        behind.append(raw)
    body: dict[str, object] = {
        "model_name": model,
        "model_version": next((a["version"] for a in answers if a["version"]), ""),
        "outputs": described,
    }
    if asked.id:
        body["id"] = asked.id
    head_bytes = orjson.dumps(body)
    if not behind:
        return Packed(head_bytes)
    return Packed(b"".join([head_bytes, *behind]), len(head_bytes))
