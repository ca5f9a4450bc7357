"""How well the crisis and toxicity gates read Spanish they were not trained on.

Prints JSON: AUROC, recall and false alarms at the default policy's thresholds with 95 %
intervals, on this folder's own lines (never trained on) and on the held-out training
lines; and how often a line is taken for Spanish, or could not be told. Never prints a
text. ``python -m benchmarks.spanish [--weights DIR]``
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from apps.safety.contracts import Inspection, Stage
from apps.safety.gates.base import BaseGate, GateKit
from apps.safety.gates.crisis import CrisisGate
from apps.safety.gates.toxicity import ToxicityGate
from apps.safety.languages.identify import identify
from apps.safety.policy import default_policy
from apps.safety.runtime.cascade import shipped_scorer
from apps.safety.training.generators.grammar import is_held_out
from apps.safety.training.generators.lines import FOLDER
from apps.safety.training.measure import summary

OWN = Path(__file__).resolve().parent / "lines_es.toml"
DECIDES = {
    "crisis": (CrisisGate, Stage.INPUT, "escalate"),
    "toxicity": (ToxicityGate, Stage.OUTPUT, "replace"),
}

Lines = tuple[Sequence[str], Sequence[str]]


def own_lines() -> dict[str, Lines]:
    """For each gate what it should stop and what it should let pass."""
    rows = tomllib.loads(OWN.read_text("utf-8"))
    return {
        "crisis_later": (rows["crisis_later"], rows["calm_later"]),
        "crisis": (rows["crisis"], [*rows["calm"], *rows["civil"]]),
        "toxicity": (rows["toxic"], [*rows["civil"], *rows["calm"]]),
    }


def held_out(name: str, label: str) -> Lines:
    """The held-out lines of a training file that carry the label."""
    content = tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))
    rows = [
        (line, group["labels"][label])
        for group in content["set"]
        if label in group["labels"]
        for line in group["lines"]
        if is_held_out(line)
    ]
    return [t for t, is_bad in rows if is_bad], [t for t, is_bad in rows if not is_bad]


def measured(gate: BaseGate, stage: Stage, number: str, lines: Lines) -> object:
    thresholds = default_policy().thresholds(gate.name, stage)
    texts = [*lines[0], *lines[1]]
    scores = [
        gate.inspect(Inspection(text, stage, "es"), thresholds).score for text in texts
    ]
    labels = np.array([1.0] * len(lines[0]) + [0.0] * len(lines[1]))
    return summary(labels, np.array(scores, np.float64), thresholds.get(number))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path)
    kit = GateKit(shipped_scorer(parser.parse_args().weights))
    training = {
        "crisis": held_out("crisis_es", "crisis"),
        "toxicity": held_out("toxicity_es", "toxic"),
    }
    out: dict[str, object] = {}
    for name, lines in own_lines().items():
        gate, stage, number = DECIDES[name.removesuffix("_later")]
        out[name] = measured(gate(kit), stage, number, lines)
    for name, lines in training.items():
        gate, stage, number = DECIDES[name]
        out[f"{name}_held_out"] = measured(gate(kit), stage, number, lines)
    told = [identify(line) for pair in own_lines().values() for line in pair[0]]
    out["identified"] = {
        "lines": len(told),
        "spanish": told.count("es"),
        "not_told": told.count(None),
    }
    print(json.dumps(out, indent=2))


if __name__ == "__main__":
    main()
