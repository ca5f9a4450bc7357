"""What each dashboard shows: one table a board, every panel one idea."""

from __future__ import annotations

from dataclasses import dataclass

from slo import LEVELS, ratio_name


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
    one(
        "Requests by route",
        "reqps",
        "sum by (route) (pe:http_requests:rate5m)",
        "{{route}}",
    ),
    one(
        "Errors of ours", "reqps", 'pe:http_requests:rate5m{status="5xx"}', "{{route}}"
    ),
    one("Slowest 1 % by route", "s", "pe:http_request_seconds:p99_5m", "{{route}}"),
    one("Median by route", "s", "pe:http_request_seconds:p50_5m", "{{route}}"),
    one("Answers by decision", "reqps", "pe:answers:rate5m", "{{decision}} {{source}}"),
    one(
        "Problems by code",
        "reqps",
        "sum by (code) (rate(pe_problems_total[5m]))",
        "{{code}}",
    ),
    one("Over a rate or quota", "percentunit", "pe:refused_by_limits:ratio15m"),
    one(
        "Being served",
        "short",
        "sum by (instance) (pe_http_requests_in_progress)",
        "{{instance}}",
    ),
    one("Model, slowest 5 %", "s", "pe:model_seconds:p95_5m", "{{model}} {{adapter}}"),
    one(
        "Model without an answer",
        "percentunit",
        "pe:model_unavailable:ratio5m",
        "{{model}}",
    ),
    one(
        "CPU an answer",
        "s",
        "pe:answer_cpu_seconds:mean15m",
        meaning="Times your price of a CPU second.",
    ),
    one(
        "Characters by model",
        "short",
        "sum by (model, direction) (rate(pe_model_characters_total[5m]))",
        "{{model}} {{direction}}",
    ),
)
SAFETY = (
    one("Cases past their time", "short", "max(pe_escalations_overdue)", kind="stat"),
    one("Cases on a disk", "short", "max(pe_escalations_spooled)", kind="stat"),
    one(
        "Open cases by level",
        "short",
        "max by (level) (pe_escalations_open)",
        "{{level}}",
    ),
    one("Oldest open case", "s", "max(pe_escalations_oldest_seconds)"),
    one(
        "First responder in time, one day",
        "percentunit",
        'max(pe_escalations_day{in_time="true"})'
        " / sum(max by (in_time) (pe_escalations_day))",
    ),
    one("Notices due and not sent", "short", "max(pe_escalation_notices_waiting)"),
    one(
        "Verdicts other than allow",
        "reqps",
        'sum by (gate, decision) (pe:gate_verdicts:rate5m{decision!="allow"})',
        "{{gate}} {{decision}}",
    ),
    one("Gates that fail", "percentunit", "pe:gate_failures:ratio5m", "{{gate}}"),
    one("Gates, slowest 1 %", "s", "pe:gate_seconds:p99_5m", "{{gate}} {{stage}}"),
    one("Helplines to verify", "short", "max(pe_crisis_contacts_stale)", kind="stat"),
    one(
        "Second judges without an answer",
        "reqps",
        "sum by (judge) (rate(pe_judge_failures_total[5m]))",
        "{{judge}}",
    ),
    Panel(
        "Second opinions lost",
        "reqps",
        (
            ("sum(rate(pe_judge_dropped_total[5m]))", "not asked"),
            ("sum(rate(pe_disagreements_lost_total[5m]))", "not stored"),
        ),
    ),
    one(
        "Rollouts taken back",
        "short",
        "sum(increase(pe_rollout_rollbacks_total[1d]))",
        kind="stat",
    ),
    one(
        "Mirrored to shadows",
        "reqps",
        "sum by (outcome) (rate(pe_rollout_shadows_total[5m]))",
        "{{outcome}}",
    ),
)
WORK = (
    one("Messages that wait", "short", "pe:queue_messages:max", "{{queue}}"),
    one("Waiting, slowest 5 %", "s", "pe:task_wait_seconds:p95_5m", "{{queue}}"),
    one(
        "Tasks by outcome",
        "ops",
        "sum by (task, outcome) (rate(pe_tasks_total[5m]))",
        "{{task}} {{outcome}}",
    ),
    one(
        "Task, slowest 5 %",
        "s",
        "histogram_quantile(0.95,"
        " sum by (task, le) (rate(pe_task_seconds_bucket[5m])))",
        "{{task}}",
    ),
    one(
        "Open training runs", "short", "max by (state) (pe_training_runs)", "{{state}}"
    ),
    one("Leases lost", "short", "max(pe_training_leases_lost)", kind="stat"),
    one("Audit entries", "short", "max(pe_audit_entries)"),
    one(
        "Since the log was verified",
        "s",
        "time() - max(pe_audit_verified_timestamp_seconds)",
        kind="stat",
    ),
    one(
        "Since heads were signed",
        "s",
        "time() - max(pe_audit_checkpoint_timestamp_seconds)",
        kind="stat",
    ),
    Panel(
        "Database and broker",
        "short",
        (("max(pe_database_up)", "database"), ("max(pe_broker_up)", "broker")),
    ),
    one(
        "Versions that run",
        "short",
        "count by (version, revision) (pe_build_info)",
        "{{version}} {{revision}}",
    ),
)
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
