"""Under which metrics each alert must fire, and under which it must not.

Values are promtool's: ``0+6x600`` starts at 0 and adds 6 a minute, 600 times. Each case
becomes two promtool unit tests; a test of the platform checks that none is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

Series = dict[str, str]
ROUTE = 'route="api/v1/models/<slug:name>/predict"'
FOUR_DAYS = "x5760"


@dataclass(frozen=True, slots=True)
class Case:
    """``fires`` and ``quiet`` are series by name; ``at`` is when both are looked at.

    ``severity`` is that of the alert which must be among those that fire.
    """

    alert: str
    at: str
    fires: Series
    quiet: Series
    severity: str = "page"


def gauge(alert: str, metric: str, at: str = "10m", severity: str = "page") -> Case:
    """An alert on a gauge that should be 0."""
    return Case(alert, at, {metric: "1x60"}, {metric: "0x60"}, severity)


def http(errors: str, total: str) -> Series:
    return {
        f'pe_http_requests_total{{{ROUTE},method="POST",status="5xx"}}': errors,
        f'pe_http_requests_total{{{ROUTE},method="POST",status="2xx"}}': total,
    }


def verdicts(failed: str, good: str) -> Series:
    where = 'gate="crisis",stage="input"'
    return {
        f'pe_gate_verdicts_total{{{where},decision="escalate",failed="true"}}': failed,
        f'pe_gate_verdicts_total{{{where},decision="allow",failed="false"}}': good,
    }


def latency(fast: str, total: str) -> Series:
    name = "pe_http_request_seconds"
    return {
        f'{name}_bucket{{{ROUTE},le="0.5"}}': fast,
        f'{name}_bucket{{{ROUTE},le="+Inf"}}': total,
        f"{name}_count{{{ROUTE}}}": total,
    }


def judged(gates: tuple[str, ...]) -> Series:
    answers = 'pe_inference_answers_total{decision="allow",source="model"}'
    return {answers: "0+60x60"} | {
        f'pe_gate_verdicts_total{{gate="{gate}",stage="output",decision="allow",'
        f'failed="false"}}': "0+60x60"
        for gate in gates
    }


def models(unavailable: str) -> Series:
    where = 'model="m",adapter="reply_ranker"'
    return {
        f'pe_model_answers_total{{{where},decision="unavailable"}}': unavailable,
        f'pe_model_answers_total{{{where},decision="allow"}}': "0+60x60",
    }


def tasks(failures: str) -> Series:
    where = 'task="audit.write_checkpoint",queue="maintenance"'
    return {
        f'pe_tasks_total{{{where},outcome="failure"}}': failures,
        f'pe_tasks_total{{{where},outcome="success"}}': "0+60x60",
    }


def limits(refused: str) -> Series:
    return {
        'pe_problems_total{code="rate_limited"}': refused,
        f'pe_http_requests_total{{{ROUTE},method="POST",status="2xx"}}': "0+60x60",
    }


SIX = ("crisis", "toxicity", "privacy", "bias", "appropriateness", "redaction")
ONE, NONE = "1x60", "0x60"

CASES = (
    gauge("PEEscalationOverdue", "pe_escalations_overdue"),
    gauge("PENoticesWaiting", "pe_escalation_notices_waiting"),
    gauge("PEEscalationSpooled", "pe_escalations_spooled"),
    gauge("PEEscalationQueueWaiting", 'pe_queue_messages{queue="escalation"}'),
    Case(
        "PEContactsStale",
        "90m",
        {"pe_crisis_contacts_stale": "2x120"},
        {"pe_crisis_contacts_stale": "0x120"},
        "ticket",
    ),
    Case(
        "PEGateFailing",
        "15m",
        verdicts("0+6x60", "0+60x60"),
        verdicts("0+1x60", "0+60x60"),
    ),
    Case("PEGateSilent", "30m", judged(SIX[:5]), judged(SIX)),
    Case("PEModelFailing", "15m", models("0+6x60"), models("0+1x60")),
    Case(
        "PEWebDown",
        "10m",
        {'up{job="pe-web",instance="a"}': NONE},
        {'up{job="pe-web",instance="a"}': NONE, 'up{job="pe-web",instance="b"}': ONE},
    ),
    Case("PEDatabaseDown", "10m", {"pe_database_up": NONE}, {"pe_database_up": ONE}),
    Case("PEBrokerDown", "10m", {"pe_broker_up": NONE}, {"pe_broker_up": ONE}),
    Case(
        "PEWorkerDown",
        "10m",
        {'up{job="pe-worker",instance="w"}': NONE},
        {'up{job="pe-worker",instance="w"}': ONE},
        "ticket",
    ),
    Case(
        "PEGaugesStale",
        "10m",
        {"pe_gauges_timestamp_seconds": NONE},
        {"pe_gauges_timestamp_seconds": "0+60x60"},
        "ticket",
    ),
    Case(
        "PEQueueWaiting",
        "30m",
        {'pe_queue_messages{queue="batch"}': "101x60"},
        {'pe_queue_messages{queue="batch"}': "100x60"},
        "ticket",
    ),
    Case("PETaskFailures", "30m", tasks("0+6x60"), tasks("0+1x60"), "ticket"),
    Case("PELimitsRefuse", "45m", limits("0+12x60"), limits("0+3x60"), "ticket"),
    gauge("PEAuditBroken", "pe_audit_broken"),
    Case(
        "PEAuditNotVerified",
        "26h",
        {"pe_audit_verified_timestamp_seconds": "0x1600"},
        {"pe_audit_verified_timestamp_seconds": "0x300 18000x1300"},
        "ticket",
    ),
    Case(
        "PECheckpointLate",
        "50m",
        {"pe_audit_checkpoint_timestamp_seconds": NONE},
        {"pe_audit_checkpoint_timestamp_seconds": "0x20 1200x60"},
        "ticket",
    ),
    gauge("PETrainingLeaseLost", "pe_training_leases_lost", severity="ticket"),
    Case(
        "PETrainingWaiting",
        "30m",
        {"pe_training_queued_oldest_seconds": "4000x60"},
        {"pe_training_queued_oldest_seconds": "3000x60"},
        "ticket",
    ),
    # Fast: 2 % of the month's budget in an hour. Slow: a little for days.
    Case(
        "PEAvailabilityBudget",
        "90m",
        http("0+2x120", "0+98x120"),
        http(NONE, "0+98x120"),
    ),
    Case(
        "PEAvailabilityBudget",
        "95h",
        http(f"0+1{FOUR_DAYS}", f"0+500{FOUR_DAYS}"),
        http(f"0+1{FOUR_DAYS}", f"0+2000{FOUR_DAYS}"),
        "ticket",
    ),
    Case(
        "PELatencyBudget",
        "90m",
        latency("0+80x120", "0+100x120"),
        latency("0+95x120", "0+100x120"),
    ),
    Case(
        "PEGatesBudget",
        "90m",
        verdicts("0+1x120", "0+99x120"),
        verdicts("0+1x120", "0+999x120"),
    ),
)


def unit_tests(rule_files: list[str]) -> dict[str, object]:
    """The document that `promtool test rules` reads."""
    return {
        "rule_files": rule_files,
        "evaluation_interval": "5m",
        "tests": [
            test
            for case in CASES
            for test in (_test(case, case.fires, True), _test(case, case.quiet, False))
        ],
    }


def _test(case: Case, series: Series, fires: bool) -> dict[str, object]:
    firing = (
        f'ALERTS{{alertname="{case.alert}",alertstate="firing",'
        f'severity="{case.severity}"}}'
    )
    labels = f'{{alertname="{case.alert}"}}'
    return {
        "interval": "1m",
        "input_series": [
            {"series": name, "values": values} for name, values in series.items()
        ],
        "promql_expr_test": [
            {
                "expr": f"group by (alertname) ({firing})",
                "eval_time": case.at,
                "exp_samples": [{"labels": labels, "value": 1}] if fires else [],
            }
        ],
    }
