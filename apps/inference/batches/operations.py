"""The operations of batches as the OpenAPI document describes them."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from apps.inference.operations import RATE_HEADERS, Operation, Responses
from apps.inference.parsing import IDEMPOTENCY_KEY
from apps.inference.schema import reference

PROBLEM = "application/problem+json"
JSON_LINES = "application/jsonl"


def _responses(status: int, schema: str, *problems: int) -> Responses:
    found: Responses = {
        (code, PROBLEM): reference("Problem")
        for code in (401, 403, 429, 503, *problems)
    }
    return {(status, "application/json"): reference(schema), **found}


def _results() -> Responses:
    found = _responses(200, "Batch", 404, 422)
    del found[(200, "application/json")]
    return {(200, JSON_LINES): {"type": "string"}, **found}


SUBMIT: Operation = {
    "operation_id": "submit_batch",
    "summary": "Have many texts answered in their own time",
    "description": (
        'One JSON object a line: {"id": "your-own", "input": {...}}, with the input of '
        "predict. Every line goes through all gates and is recorded; one that cannot "
        "be read is refused by itself. Content-Encoding gzip and deflate are read."
    ),
    "request": {JSON_LINES: {"type": "string"}},
    "responses": _responses(202, "Batch", 400, 409, 413, 415, 422),
    "parameters": [
        OpenApiParameter("model", OpenApiTypes.STR, required=True),
        OpenApiParameter(
            "Idempotency-Key",
            {"type": "string", "pattern": f"^{IDEMPOTENCY_KEY.pattern}$"},
            OpenApiParameter.HEADER,
            description="Repeat an upload with the same key to get the first job.",
        ),
        *RATE_HEADERS,
    ],
}
LIST: Operation = {
    "operation_id": "list_batches",
    "summary": "The latest batches of this line of keys",
    "responses": _responses(200, "Batches"),
    "parameters": RATE_HEADERS,
}
READ: Operation = {
    "operation_id": "read_batch",
    "summary": "How far a batch is",
    "responses": _responses(200, "Batch", 404),
    "parameters": RATE_HEADERS,
}
CANCEL: Operation = {
    "operation_id": "cancel_batch",
    "summary": "Take back the lines that wait",
    "request": None,
    "responses": _responses(200, "Batch", 404, 409),
    "parameters": RATE_HEADERS,
}
RESULTS: Operation = {
    "operation_id": "read_batch_results",
    "summary": "Closed lines as JSON Lines, in order; also while others wait",
    "responses": _results(),
    "parameters": [
        OpenApiParameter(
            "after",
            {"type": "integer", "minimum": 0, "maximum": 999999999, "default": 0},
            description="Only lines behind this position.",
        ),
        *RATE_HEADERS,
    ],
}
