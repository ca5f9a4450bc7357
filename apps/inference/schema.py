"""The published schema of the API: JSON Schema written once, by hand.

The predict view parses by hand for speed, so its schema is written by hand too, and a
test holds the two together. ``add_components`` is a drf-spectacular hook that puts
these into ``#/components/schemas``.
"""

from __future__ import annotations

from typing import Any

from apps.inference.contracts import Outcome, Source
from apps.inference.parsing import LOCALE, MAX_CONTEXT_TURNS, PARTICIPANT_REF

# Any: a JSON Schema or OpenAPI fragment.
Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}


def reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: Schema, **more: Any) -> Schema:
    """An object with exactly these members, all of them present."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        **more,
    }


def _or_null(schema: Schema) -> Schema:
    return {"oneOf": [schema, {"type": "null"}]}


def _map_of(schema: Schema) -> Schema:
    return {"type": "object", "additionalProperties": schema}


def _list_of(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


PREDICT_REQUEST = _object(
    {
        "input": _object(
            {
                "text": {
                    "type": "string",
                    "minLength": 1,
                    "pattern": r"\S",
                    "description": "What the participant wrote.",
                },
                "context": {
                    "type": "array",
                    "items": TEXT,
                    "maxItems": MAX_CONTEXT_TURNS,
                    "description": "Earlier turns of the conversation, oldest first.",
                },
                "locale": {
                    "type": "string",
                    "pattern": f"^{LOCALE.pattern}$",
                    "description": "BCP 47 tag; chooses fixed texts and contacts.",
                },
                "participant_ref": {
                    "type": "string",
                    "pattern": f"^{PARTICIPANT_REF.pattern}$",
                    "description": "Your own opaque name for the participant; only a "
                    "keyed digest of it is kept.",
                },
            },
            required=["text"],
        )
    }
)
VERDICT = _object(
    {
        "decision": {
            "type": "string",
            "enum": ["allow", "mask", "replace", "block", "escalate"],
        },
        "score": _or_null({"type": "number", "minimum": 0, "maximum": 1}),
        "threshold": _or_null(NUMBER),
        "reasons": _list_of(TEXT),
        "risk": _or_null(TEXT),
        "version": TEXT,
        "model_version": TEXT,
        "failed": {"type": "boolean"},
        "ms": NUMBER,
        "spans": {
            "type": "array",
            "description": "[start, end, type] in code points of the inspected text.",
            "items": {"type": "array"},
        },
    }
)
CONTACT = _object({"name": TEXT, "reach": TEXT, "url": TEXT})
OUTPUT = _object(
    {
        "text": TEXT,
        "source": {"type": "string", "enum": [source.value for source in Source]},
        "labels": _map_of(NUMBER),
    }
)
ANSWER_MEMBERS: Schema = {
    "id": {"type": "string", "format": "uuid"},
    "model": TEXT,
    "version": _or_null(TEXT),
    "version_digest": _or_null(TEXT),
    "policy": _or_null(_object({"name": TEXT, "version": TEXT, "digest": TEXT})),
    "decision": {"type": "string", "enum": [outcome.value for outcome in Outcome]},
    "rules": _list_of(TEXT),
    "output": OUTPUT,
    "verdicts": _object(
        {
            "input": _map_of(reference("Verdict")),
            "output": _map_of(reference("Verdict")),
        }
    ),
    "escalation": _or_null(_object({"id": TEXT, "level": TEXT})),
    "contacts": _list_of(reference("Contact")),
    "usage": _map_of({"type": "integer"}),
    "timings": _map_of(NUMBER),
}
PROBLEM: Schema = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": TEXT,
        "code": {"type": "string", "description": "Stable, machine-readable."},
        "request_id": TEXT,
        "contacts": _list_of(reference("Contact")),
        "output": reference("Output"),
    },
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "additionalProperties": True,
}
RECORD = _object(
    {
        "id": {"type": "string", "format": "uuid"},
        "created_at": {"type": "string", "format": "date-time"},
        "model": TEXT,
        "version": TEXT,
        "version_digest": TEXT,
        "router_reason": TEXT,
        "policy": _object({"name": TEXT, "version": TEXT, "digest": TEXT}),
        "jurisdiction": TEXT,
        "rules": _list_of(TEXT),
        "decision": ANSWER_MEMBERS["decision"],
        "source": OUTPUT["properties"]["source"],
        "problem": TEXT,
        "verdicts": _object({"input": _map_of({}), "output": _map_of({})}),
        "escalation_id": _or_null({"type": "string", "format": "uuid"}),
        "usage": ANSWER_MEMBERS["usage"],
        "timings": ANSWER_MEMBERS["timings"],
    }
)
_POLICY = _object({"name": TEXT, "version": TEXT, "digest": TEXT})
_DECIDED = _object({"decision": TEXT, "policy": _POLICY})
REPLAY = _object(
    {
        "id": {"type": "string", "format": "uuid"},
        "same": {"type": "boolean", "description": "Nothing at all would differ."},
        "then": _DECIDED,
        "now": _DECIDED,
        "model_would_be_asked": {
            "type": "boolean",
            "description": "The input would pass today, and no reply was kept.",
        },
        "gates": _list_of(
            _object(
                {
                    "stage": {"type": "string", "enum": ["input", "output"]},
                    "gate": TEXT,
                    "differs": _list_of(TEXT),
                    "then": _or_null({"type": "object"}),
                    "now": _or_null({"type": "object"}),
                }
            )
        ),
    }
)
INTEGER: Schema = {"type": "integer"}
MODELS = _object(
    {
        "models": _list_of(
            _object(
                {
                    "name": TEXT,
                    "task": TEXT,
                    "description": TEXT,
                    "version": TEXT,
                }
            )
        )
    }
)
ME = _object(
    {
        "prefix": TEXT,
        "label": TEXT,
        "jurisdiction": TEXT,
        "scopes": _list_of(TEXT),
        "expires_at": _or_null({"type": "string", "format": "date-time"}),
        "tier": _object(
            {
                "name": TEXT,
                "requests_per_second": NUMBER,
                "burst": INTEGER,
                "max_text_chars": INTEGER,
                "allowed_models": _or_null(_list_of(TEXT)),
            }
        ),
        "rate": _or_null(
            _object({"limit": INTEGER, "remaining": INTEGER, "reset_s": NUMBER})
        ),
        "quotas": _list_of(
            _object(
                {
                    "period": {"type": "string", "enum": ["day", "month"]},
                    "limit": INTEGER,
                    "used": INTEGER,
                    "remaining": INTEGER,
                    "reset_s": NUMBER,
                }
            )
        ),
    }
)
_COUNT: Schema = {"type": "integer", "minimum": 0}
BATCH = _object(
    {
        "id": {"type": "string", "format": "uuid"},
        "state": {"type": "string", "enum": ["running", "finished", "cancelled"]},
        "model": TEXT,
        "size": _COUNT,
        "counts": _object(
            {
                "waiting": _COUNT,
                "claimed": _COUNT,
                "done": _COUNT,
                "refused": _COUNT,
                "failed": _COUNT,
                "cancelled": _COUNT,
            }
        ),
        "decisions": _map_of(_COUNT),
        "progress": {"type": "number", "minimum": 0, "maximum": 1},
        "created_at": {"type": "string", "format": "date-time"},
        "finished_at": _or_null({"type": "string", "format": "date-time"}),
        "expires_at": {"type": "string", "format": "date-time"},
        "results": TEXT,
    }
)
COMPONENTS: Schema = {
    "Batch": BATCH,
    "Batches": _object({"batches": _list_of(reference("Batch"))}),
    "PredictRequest": PREDICT_REQUEST,
    "PredictResponse": _object(ANSWER_MEMBERS),
    "Verdict": VERDICT,
    "Contact": CONTACT,
    "Output": OUTPUT,
    "Problem": PROBLEM,
    "InferenceRecord": RECORD,
    "Replay": REPLAY,
    "Models": MODELS,
    "Me": ME,
}


def add_components(result: Schema, **_: Any) -> Schema:
    """Hook of drf-spectacular: the components that operations refer to."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(COMPONENTS)
    return result
