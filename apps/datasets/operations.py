"""The operations as the OpenAPI document describes them: arguments of extend_schema."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from apps.datasets.encoding import ENCODERS

# Any: keyword arguments of extend_schema, which is untyped about them.
Operation = dict[str, Any]
# The document as a whole defines it (PE settings, SPECTACULAR_SETTINGS).
PROBLEM: Operation = {"$ref": "#/components/schemas/Problem"}
RATE_HEADERS = [
    OpenApiParameter(
        name,
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        description=text,
        response=True,
    )
    for name, text in (
        ("RateLimit-Policy", "Quota policies of the key's tier."),
        ("RateLimit", "What is left of them."),
    )
]


def _problems(*statuses: int) -> dict[tuple[int, str], Operation]:
    return {(status, "application/problem+json"): PROBLEM for status in statuses}


GRANTS: Operation = {
    "operation_id": "list_grants",
    "summary": "Grants of this program to read rows of datasets",
    "responses": {
        (200, "application/json"): {
            "type": "object",
            "properties": {"grants": {"type": "array", "items": {"type": "object"}}},
            "required": ["grants"],
        },
        **_problems(401, 403, 429, 503),
    },
    "parameters": RATE_HEADERS,
}
ROWS: Operation = {
    "operation_id": "read_rows",
    "summary": "Rows of one grant, as a stream",
    "description": (
        "At most 2,000 rows; `Dataset-Rows` says which of how many, and `Link` names "
        "the rest. Positions never move: after row N, ask from N + 1. When the grant "
        "ends in the middle, so does the stream, without a proper end."
    ),
    "responses": {
        **{
            (200, kind): {"type": "string", "format": "binary"}
            for _, kind in ENCODERS.values()
        },
        **_problems(400, 401, 403, 404, 429, 500, 503),
    },
    "parameters": [
        OpenApiParameter("format", enum=list(ENCODERS), default="jsonl"),
        OpenApiParameter(
            "from", {"type": "integer", "minimum": 1, "default": 1}, required=False
        ),
        *RATE_HEADERS,
    ],
}
