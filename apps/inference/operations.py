"""The operations as the OpenAPI document describes them: arguments of extend_schema."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from apps.inference.parsing import IDEMPOTENCY_KEY
from apps.inference.schema import reference

# Any: keyword arguments of extend_schema, which is untyped about them.
Operation = dict[str, Any]
Responses = dict[tuple[int, str], dict[str, Any]]

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
        ("X-Request-ID", "Names this request in logs and audit entries."),
    )
]


def _responses(schema: str, *statuses: int) -> Responses:
    problems: Responses = {
        (status, "application/problem+json"): reference("Problem")
        for status in (401, 403, 429, 503, *statuses)
    }
    return {(200, "application/json"): reference(schema), **problems}


PREDICT: Operation = {
    "operation_id": "predict",
    "summary": "Ask a model through the six gates",
    "description": (
        "The text is inspected before anything else. Risk opens an escalation and is "
        "answered by the approved crisis text of the locale; what the gates stop is "
        "answered by a fixed text with status 200. Read `output.source`."
    ),
    "request": {"application/json": reference("PredictRequest")},
    "responses": _responses("PredictResponse", 400, 404, 409, 413, 415, 422),
    "parameters": [
        OpenApiParameter(
            "Idempotency-Key",
            {"type": "string", "pattern": f"^{IDEMPOTENCY_KEY.pattern}$"},
            OpenApiParameter.HEADER,
            description="Repeat a request with the same key and body to get the first "
            "outcome again, for a day.",
        ),
        *RATE_HEADERS,
    ],
    "examples": [
        OpenApiExample(
            "A message",
            value={"input": {"text": "I slept badly again.", "locale": "en-GB"}},
            request_only=True,
            media_type="application/json",
        )
    ],
}
MODELS: Operation = {
    "operation_id": "list_models",
    "summary": "Models this key may use",
    "responses": _responses("Models"),
    "parameters": RATE_HEADERS,
}
REQUEST: Operation = {
    "operation_id": "read_request",
    "summary": "What was decided about an earlier request of this key",
    "responses": _responses("InferenceRecord", 404),
    "parameters": RATE_HEADERS,
}
REPLAY: Operation = {
    "operation_id": "replay_request",
    "summary": "Decide an earlier request of this key again, and compare",
    "description": (
        "Runs today's gates and policy over the sealed text of the request. Nothing is "
        "recorded but an audit entry: no decision is stored, no case is opened and no "
        "model is asked. 404 `text_not_kept` when there is no text to decide on."
    ),
    "request": None,
    "responses": _responses("Replay", 404, 500),
    "parameters": RATE_HEADERS,
}
ME: Operation = {
    "operation_id": "read_me",
    "summary": "The key that asks, its rate and its quota",
    "responses": _responses("Me"),
    "parameters": RATE_HEADERS,
}
