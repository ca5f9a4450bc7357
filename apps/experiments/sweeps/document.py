"""A sweep as people write it, checked before anything is trained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator

from apps.experiments.errors import SweepInvalid

SCHEMA_FILE = Path(__file__).parent.parent / "schemas" / "sweep.json"
DEFAULT_SEED = 20_000


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """``space`` maps hyper-parameters to their ranges, as in the schema."""

    manifest: Mapping[str, Any]
    space: Mapping[str, Mapping[str, Any]]
    metric: str
    maximize: bool
    trials: int
    parallel: int
    sampler: str
    pruner: str
    seed: int

    def manifest_with(self, values: Mapping[str, object]) -> dict[str, Any]:
        """The manifest of one trial."""
        given = self.manifest.get("hyperparameters", {})
        return {**self.manifest, "hyperparameters": {**given, **values}}

    def corners(self) -> list[dict[str, object]]:
        """The least and the largest of everything, and each choice: what the runner
        must accept for any trial to be trainable."""
        low: dict[str, object] = {}
        high: dict[str, object] = {}
        for name, place in self.space.items():
            low[name] = place["of"][0] if place["type"] == "choice" else place["low"]
            high[name] = place["of"][-1] if place["type"] == "choice" else place["high"]
        choices = [
            {**low, name: value}
            for name, place in self.space.items()
            for value in place.get("of", ())
        ]
        return [low, high, *choices]


@cache
def sweep_schema() -> dict[str, Any]:  # Any: a JSON document
    """The published JSON Schema."""
    content: dict[str, Any] = json.loads(SCHEMA_FILE.read_text())
    return content


def parse_sweep(document: object) -> SweepPlan:
    """SweepInvalid with every problem found."""
    errors = Draft202012Validator(sweep_schema()).iter_errors(document)
    problems = [
        f"{'.'.join(map(str, error.absolute_path)) or 'sweep'}: {error.message}"
        for error in sorted(errors, key=lambda error: list(map(str, error.path)))
    ]
    if not problems:
        problems = _space_problems(cast("Mapping[str, Any]", document)["space"])
    if problems:
        raise SweepInvalid(
            "The sweep cannot be used. " + " ".join(problems[:10]),
            extra={"problems": problems[:10]},
        )
    return _plan(cast("Mapping[str, Any]", document))


def _space_problems(space: Mapping[str, Mapping[str, Any]]) -> list[str]:
    found = []
    for name, place in space.items():
        if place["type"] == "choice":
            continue
        low, high = place["low"], place["high"]
        if low > high:
            found.append(f"space.{name}: low is above high.")
        if place.get("log") and low <= 0:
            found.append(f"space.{name}: a log range is above 0.")
        if place["type"] == "int" and (low != int(low) or high != int(high)):
            found.append(f"space.{name}: an int range has whole ends.")
    return found


def _plan(document: Mapping[str, Any]) -> SweepPlan:
    objective = document["objective"]
    return SweepPlan(
        manifest=document["manifest"],
        space={name: _whole(place) for name, place in document["space"].items()},
        metric=objective["metric"],
        maximize=objective["direction"] == "maximize",
        trials=document["trials"],
        parallel=document.get("parallel", 1),
        sampler=document.get("sampler", "tpe"),
        pruner=document.get("pruner", "none"),
        seed=document.get("seed", DEFAULT_SEED),
    )


def _whole(place: Mapping[str, Any]) -> Mapping[str, Any]:
    if place["type"] != "int":
        return place
    return {**place, "low": int(place["low"]), "high": int(place["high"])}
