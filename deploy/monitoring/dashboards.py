"""Grafana dashboards as code, in the schema of Grafana 11.

Plain dictionaries: the part of the schema used here is small, and a test reads every
expression and compares it with the metrics that the platform really exposes.
"""

from __future__ import annotations

from boards import BOARDS, Panel

WIDTH, HEIGHT, COLUMNS = 12, 8, 2
SOURCE = {"type": "prometheus", "uid": "prometheus"}

# What becomes JSON.
Json = dict[str, object]


def panel(number: int, described: Panel) -> Json:
    """One panel at its place in a grid of two columns."""
    column, row = number % COLUMNS, number // COLUMNS
    return {
        "id": number + 1,
        "type": described.kind,
        "title": described.title,
        "description": described.meaning,
        "datasource": SOURCE,
        "gridPos": {"h": HEIGHT, "w": WIDTH, "x": column * WIDTH, "y": row * HEIGHT},
        "fieldConfig": {
            "defaults": {"unit": described.unit, "min": 0},
            "overrides": [],
        },
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": SOURCE,
                "expr": expression,
                "legendFormat": legend or "__auto",
            }
            for index, (expression, legend) in enumerate(described.queries)
        ],
    }


def board(uid: str) -> Json:
    """The JSON model of one dashboard."""
    title, panels = BOARDS[uid]
    return {
        "uid": uid,
        "title": title,
        "tags": ["pixelated-empathy"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "utc",
        "panels": [panel(number, each) for number, each in enumerate(panels)],
    }


def expressions() -> list[str]:
    """Every PromQL expression of every panel."""
    return [
        query
        for _, panels in BOARDS.values()
        for each in panels
        for query, _ in each.queries
    ]
