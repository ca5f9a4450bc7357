"""Gauges of training, read when somebody asks for metrics."""

from __future__ import annotations

from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client import Gauge

from apps.models_registry.models import TrainingRun
from apps.models_registry.selectors import lost_runs

RUNS = Gauge(
    "pe_training_runs",
    "Open runs by state.",
    ("state",),
    multiprocess_mode="mostrecent",
)
LOST = Gauge(
    "pe_training_leases_lost",
    "Running, but whoever ran them has stopped saying so.",
    multiprocess_mode="mostrecent",
)
OLDEST = Gauge(
    "pe_training_queued_oldest_seconds",
    "How long the run that waits longest has waited; 0 when none does.",
    multiprocess_mode="mostrecent",
)


def refresh() -> None:
    """Read what the gauges show; two queries."""
    now = timezone.now()
    states = TrainingRun.objects.filter(state__in=TrainingRun.OPEN_STATES)
    rows = states.values("state").annotate(runs=Count("pk"), oldest=Min("queued_at"))
    found = {row["state"]: row for row in rows.order_by()}
    for state in TrainingRun.OPEN_STATES:
        RUNS.labels(state.value).set(found[state]["runs"] if state in found else 0)
    queued = found.get(TrainingRun.State.QUEUED)
    OLDEST.set((now - queued["oldest"]).total_seconds() if queued else 0)
    LOST.set(lost_runs(now).count())
