"""Writes what is generated: SLO rules, dashboards, and the chart's copy of both.

    python deploy/monitoring/generate.py

A test compares the files with this, so that nobody edits the output by hand.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import yaml

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from boards import BOARDS  # noqa: E402
from dashboards import board  # noqa: E402
from slo import groups  # noqa: E402

CHART = HERE.parent / "helm" / "pe-platform" / "monitoring"
HAND_WRITTEN = ("rules/recording.yml", "rules/alerts.yml")


def generated() -> dict[str, str]:
    """Content by path, relative to deploy/monitoring."""
    head = "# Written by deploy/monitoring/generate.py from slo.py.\n"
    rules = yaml.safe_dump({"groups": groups()}, sort_keys=False, width=88)
    boards = {
        f"dashboards/{uid}.json": json.dumps(board(uid), indent=1) + "\n"
        for uid in BOARDS
    }
    return {"rules/slo.yml": head + rules, **boards}


def files() -> dict[Path, str]:
    """Content by full path, the chart's copies included."""
    content = generated()
    copied = {name: (HERE / name).read_text() for name in HAND_WRITTEN}
    return {
        **{HERE / name: text for name, text in content.items()},
        **{CHART / name: text for name, text in {**content, **copied}.items()},
    }


if __name__ == "__main__":
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
