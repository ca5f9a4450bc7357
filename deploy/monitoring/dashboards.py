"""Grafana dashboards as code: one short table a board, every panel one idea.

Plain dictionaries in the schema of Grafana 11: it is small, and a test reads every
expression and compares it with the metrics that the platform really exposes.
"""

from __future__ import annotations

from dataclasses import dataclass

from slo import LEVELS, ratio_name

WIDTH, HEIGHT, COLUMNS = 12, 8, 2
SOURCE = {"type": "prometheus", "uid": "prometheus"}

# What becomes JSON.
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Panel:
    """``queries`` are PromQL and legend; ``unit`` is one of Grafana's."""

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    meaning: str = ""
    kind: str = "timeseries"


def one(title: str, unit: str, query: str, legend: str = "", **more: str) -> Panel:
    return Panel(title, unit, ((query, legend),), **more)


SERVING = (
    one("Requests by route", "reqps", "sum by (route) (pe:http_requests:rate5m)", "{{route}}"),
    one("Errors of ours", "reqps", 'pe:http_requests:rate5m{status="5xx"}', "{{route}}"),
    one("Slowest 1 % by route", "s", "pe:http_request_seconds:p99_5m", "{{route}}"),
    one("Median by route", "s", "pe:http_request_seconds:p50_5m", "{{route}}"),
    one("Answers by decision", "reqps", "pe:answers:rate5m", "{{decision}} {{source}}"),
    one("Problems by code", "reqps", "sum by (code) (rate(pe_problems_total[5m]))", "{{code}}"),
    one("Over a rate or quota", "percentunit", "pe:refused_by_limits:ratio15m"),
    one("Being served", "short", "sum by (instance) (pe_http_requests_in_progress)", "{{instance}}"),
    one("Model, slowest 5 %", "s", "pe:model_seconds:p95_5m", "{{model}} {{adapter}}"),
    one("Model without an answer", "percentunit", "pe:model_unavailable:ratio5m", "{{model}}"),
    one("CPU an answer", "s", "pe:answer_cpu_seconds:mean15m", meaning="Times your price of a CPU second."),
    one("Characters by model", "short", "sum by (model, direction) (rate(pe_model_characters_total[5m]))", "{{model}} {{direction}}"),
)  # fmt: skip
SAFETY = (
    one("Cases past their time", "short", "max(pe_escalations_overdue)", kind="stat"),
    one("Cases on a disk", "short", "max(pe_escalations_spooled)", kind="stat"),
    one("Open cases by level", "short", "max by (level) (pe_escalations_open)", "{{level}}"),
    one("Oldest open case", "s", "max(pe_escalations_oldest_seconds)"),
    one("First responder in time, one day", "percentunit", 'max(pe_escalations_day{in_time="true"}) / (max(pe_escalations_day{in_time="true"}) + max(pe_escalations_day{in_time="false"}))'),
    one("Notices due and not sent", "short", "max(pe_escalation_notices_waiting)"),
    one("Verdicts other than allow", "reqps", 'sum by (gate, decision) (pe:gate_verdicts:rate5m{decision!="allow"})', "{{gate}} {{decision}}"),
    one("Gates that fail", "percentunit", "pe:gate_failures:ratio5m", "{{gate}}"),
    one("Gates, slowest 1 %", "s", "pe:gate_seconds:p99_5m", "{{gate}} {{stage}}"),
    one("Helplines to verify", "short", "max(pe_crisis_contacts_stale)", kind="stat"),
)  # fmt: skip
WORK = (
    one("Messages that wait", "short", "pe:queue_messages:max", "{{queue}}"),
    one("Waiting, slowest 5 %", "s", "pe:task_wait_seconds:p95_5m", "{{queue}}"),
    one("Tasks by outcome", "ops", "sum by (task, outcome) (rate(pe_tasks_total[5m]))", "{{task}} {{outcome}}"),
    one("Task, slowest 5 %", "s", "histogram_quantile(0.95, sum by (task, le) (rate(pe_task_seconds_bucket[5m])))", "{{task}}"),
    one("Open training runs", "short", "max by (state) (pe_training_runs)", "{{state}}"),
    one("Leases lost", "short", "max(pe_training_leases_lost)", kind="stat"),
    one("Audit entries", "short", "max(pe_audit_entries)"),
    one("Since the log was verified", "s", "time() - max(pe_audit_verified_timestamp_seconds)", kind="stat"),
    one("Since heads were signed", "s", "time() - max(pe_audit_checkpoint_timestamp_seconds)", kind="stat"),
    Panel("Database and broker", "short", (("max(pe_database_up)", "database"), ("max(pe_broker_up)", "broker"))),
    one("Versions that run", "short", "count by (version, revision) (pe_build_info)", "{{version}} {{revision}}"),
)  # fmt: skip
BUDGETS = tuple(
    Panel(
        f"{level.name}: {level.objective:.2%}",
        "percentunit",
        tuple(
            (f'{ratio_name(window)}{{slo="{level.name}"}}', window)
            for window in ("5m", "1h", "6h", "3d")
        ),
        meaning=f"Share that is bad of {level.meaning}.",
    )
    for level in LEVELS
)
BOARDS: dict[str, tuple[str, tuple[Panel, ...]]] = {
    "pe-serving": ("Platform: serving", SERVING),
    "pe-safety": ("Platform: gates and crisis desk", SAFETY),
    "pe-work": ("Platform: queues, training, evidence", WORK),
    "pe-budgets": ("Platform: error budgets", BUDGETS),
}


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
