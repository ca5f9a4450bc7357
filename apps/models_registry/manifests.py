"""Reading and checking manifest documents, before anything is written.

The JSON Schema in ``schemas/`` is published: what it accepts is what the service
accepts, up to names that only the database can know.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator

from apps.core.errors import InvalidInput, NotFound
from apps.datasets.errors import NotFrozen
from apps.datasets.selectors import frozen_version
from apps.models_registry.contracts import TrainingRunner
from apps.models_registry.errors import DatasetNotFrozen, ManifestInvalid
from apps.models_registry.families import runner_named

SCHEMA_FILE = Path(__file__).parent / "schemas" / "training_manifest.json"
MOST_PROBLEMS_SHOWN = 10


@cache
def manifest_schema() -> dict[str, Any]:  # Any: a JSON document
    """The published JSON Schema."""
    content: dict[str, Any] = json.loads(SCHEMA_FILE.read_text())
    return content


def manifest_problems(document: object) -> list[str]:
    """Every way a document misses the schema, as ``place: what``; none when it fits."""
    errors = Draft202012Validator(manifest_schema()).iter_errors(document)
    return [
        f"{'.'.join(str(part) for part in error.absolute_path) or 'manifest'}: "
        f"{error.message}"
        for error in sorted(errors, key=lambda error: list(map(str, error.path)))
    ]


def check_manifest(document: object) -> Mapping[str, Any]:
    """The document, when a run could be made from it.

    Raises ManifestInvalid with every problem found, or DatasetNotFrozen.
    """
    problems = manifest_problems(document)
    if problems:
        shown = problems[:MOST_PROBLEMS_SHOWN]
        raise ManifestInvalid(
            "The manifest does not fit its schema. " + " ".join(shown),
            extra={"problems": shown},
        )
    fitting = cast("Mapping[str, Any]", document)
    _check_runner(fitting)
    for part, digest in fitting["datasets"].items():
        _check_dataset(part, digest)
    return fitting


def _check_runner(document: Mapping[str, Any]) -> None:
    wanted = document["runner"]
    try:
        runner = runner_named(wanted["name"])
        runner.check(document["hyperparameters"])
    except InvalidInput as error:
        raise ManifestInvalid(error.message) from error
    if wanted["version"] != runner.version:
        raise ManifestInvalid(
            f"Runner {runner.name} is at version {runner.version} here; the manifest "
            f"asks for {wanted['version']}."
        )
    _check_parts(document, runner)


def _check_parts(document: Mapping[str, Any], runner: TrainingRunner) -> None:
    given, needed = set(document["datasets"]), set(runner.datasets)
    if given != needed:
        raise ManifestInvalid(
            f"Runner {runner.name} needs the datasets {', '.join(sorted(needed))}; "
            f"the manifest names {', '.join(sorted(given))}."
        )


def _check_dataset(part: str, digest: str) -> None:
    try:
        frozen_version(digest)
    except (NotFound, NotFrozen) as error:
        raise DatasetNotFrozen(
            f"datasets.{part}: {error.message} Freeze the version you mean, then name "
            "its digest."
        ) from error
