"""Service levels, and the rules that say how fast their error budgets are spent.

Multi-window, multi-burn-rate alerts (Google SRE Workbook, chapter 5): a page when 2 %
of a 30-day budget went in an hour or 5 % in six hours, a ticket when 10 % went in three
days or in one; the short window of each pair lets the alert end soon after the trouble.
"""

from __future__ import annotations

from dataclasses import dataclass

PREDICT = 'route=~".*predict"'


@dataclass(frozen=True, slots=True)
class Level:
    """``bad`` and ``all`` are PromQL with WINDOW in place of the range.

    ``objective`` is the share in (0, 1) that has to be good over 30 days.
    """

    name: str
    alert: str
    objective: float
    meaning: str
    bad: str
    all: str


@dataclass(frozen=True, slots=True)
class Burn:
    """A pair of windows; ``factor`` times the even spending of 30 days fires it."""

    long: str
    short: str
    factor: float
    severity: str
    wait: str


LEVELS = (
    Level(
        "availability",
        "PEAvailabilityBudget",
        0.999,
        "requests for an answer that do not end in an error of ours",
        f'sum(rate(pe_http_requests_total{{{PREDICT},status="5xx"}}[WINDOW]))',
        f"sum(rate(pe_http_requests_total{{{PREDICT}}}[WINDOW]))",
    ),
    Level(
        "latency",
        "PELatencyBudget",
        0.99,
        "requests for an answer that take half a second at most",
        f"(sum(rate(pe_http_request_seconds_count{{{PREDICT}}}[WINDOW]))"
        f' - sum(rate(pe_http_request_seconds_bucket{{{PREDICT},le="0.5"}}[WINDOW])))',
        f"sum(rate(pe_http_request_seconds_count{{{PREDICT}}}[WINDOW]))",
    ),
    Level(
        "gates",
        "PEGatesBudget",
        0.9995,
        "verdicts that a gate gives itself rather than by failing",
        'sum(rate(pe_gate_verdicts_total{failed="true"}[WINDOW]))',
        "sum(rate(pe_gate_verdicts_total[WINDOW]))",
    ),
)
BURNS = (
    Burn("1h", "5m", 14.4, "page", "2m"),
    Burn("6h", "30m", 6.0, "page", "5m"),
    Burn("1d", "2h", 3.0, "ticket", "15m"),
    Burn("3d", "6h", 1.0, "ticket", "30m"),
)
WINDOWS = tuple(dict.fromkeys(w for burn in BURNS for w in (burn.short, burn.long)))

# Any JSON: what becomes YAML.
Rule = dict[str, object]


def ratio_name(window: str) -> str:
    return f"pe:slo_errors:ratio{window}"


def recordings(level: Level) -> list[Rule]:
    """The share of bad events over each window, with the level's name as a label."""
    return [
        {
            "record": ratio_name(window),
            "expr": f"{level.bad} / {level.all}".replace("WINDOW", window),
            "labels": {"slo": level.name},
        }
        for window in WINDOWS
    ]


def alert(level: Level, burn: Burn) -> Rule:
    """Fires while both windows of the pair spend faster than they may."""
    limit = f"{burn.factor * (1 - level.objective):.6g}"
    matcher = f'{{slo="{level.name}"}}'
    return {
        "alert": level.alert,
        "expr": f"{ratio_name(burn.long)}{matcher} > {limit}"
        f" and {ratio_name(burn.short)}{matcher} > {limit}",
        "for": burn.wait,
        "labels": {
            "severity": burn.severity,
            "team": "platform",
            "slo": level.name,
            "window": burn.long,
        },
        "annotations": {
            "summary": f"{{{{ $value | humanizePercentage }}}} of {level.name} is bad"
            f" over {burn.long}; {1 - level.objective:.2%} may be",
            "description": f"Objective: {level.objective:.2%} of {level.meaning}.",
            "runbook_url": f"/docs/ops/alerts/{level.alert}.md",
        },
    }


def groups() -> list[Rule]:
    """One group of recordings and one of alerts a level."""
    found: list[Rule] = []
    for level in LEVELS:
        found.append({"name": f"pe-slo-{level.name}", "rules": recordings(level)})
        alerts = [alert(level, burn) for burn in BURNS]
        found.append({"name": f"pe-burn-{level.name}", "rules": alerts})
    return found
