"""Small rows and schemas that the dataset tests share."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping

from apps.datasets.contracts import (
    DatasetSchema,
    DatasetValidator,
    Finding,
    Row,
    ValidationContext,
    parse_schema,
)

SCHEMA_JSON: dict[str, object] = {
    "fields": [
        {"name": "id", "max_length": 20},
        {"name": "text", "max_length": 500},
        {"name": "label", "allowed": ["calm", "worried"]},
        {"name": "group", "required": False},
        {"name": "split", "allowed": ["train", "test"]},
        {"name": "license"},
        {"name": "age", "type": "integer", "required": False},
        {"name": "weight", "type": "number", "required": False},
        {"name": "adult", "type": "boolean", "required": False},
    ],
    "roles": {
        "id": "id",
        "text": "text",
        "label": "label",
        "subgroup": "group",
        "split": "split",
        "licence": "license",
    },
}
SCHEMA: DatasetSchema = parse_schema(SCHEMA_JSON)
TEXTS = (
    "The garden was quiet and I watched the sparrows for an hour.",
    "Tomorrow there is an interview and my stomach is in knots.",
    "We cooked soup together and the kitchen smelled of thyme.",
    "What if nobody answers my letter about the flat this month?",
    "A long walk by the canal cleared most of my thoughts.",
    "I keep checking the stove before leaving for the office.",
    "My niece played the violin and everyone clapped along.",
    "The results come on Friday and waiting makes me restless.",
)


def values(number: int = 1, **changes: object) -> dict[str, object]:
    """A valid row; texts differ for the first eight numbers."""
    row: dict[str, object] = {
        "id": f"r{number}",
        "text": TEXTS[(number - 1) % len(TEXTS)],
        "label": ("calm", "worried")[(number - 1) % 2],
        "split": "train" if (number - 1) % 8 < 4 else "test",
        "license": "CC0-1.0",
        **changes,
    }
    return {name: value for name, value in row.items() if value is not ...}


def eight_rows(**changes: object) -> list[dict[str, object]]:
    """Rows without a single finding but the small subgroups they do not have."""
    return [values(number, **changes) for number in range(1, 9)]


def jsonl(rows: Iterable[Mapping[str, object]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def stream(content: bytes | str) -> io.BytesIO:
    return io.BytesIO(content.encode() if isinstance(content, str) else content)


def found_by(
    kind: type[DatasetValidator],
    rows: Iterable[Mapping[str, object]],
    schema: DatasetSchema = SCHEMA,
    licence: str = "CC0-1.0",
) -> dict[str, Finding]:
    """The findings of one validator by code."""
    context = ValidationContext(schema, licence, frozenset({"CC0-1.0"}))
    validator = kind(context)
    for locator, row in enumerate(rows, start=1):
        validator.observe(Row(locator, row))  # type: ignore[arg-type]
    findings = validator.findings()
    validator.close()
    return {finding.code: finding for finding in findings}
