"""Gauges of the audit log, read when somebody asks for metrics.

How long the chains are, when their heads were last signed, when they were last read
from end to end, and whether that reading found a broken link.
"""

from __future__ import annotations

from django.db.models import Count, Max, Min, Sum
from django.utils import timezone
from prometheus_client import Gauge

from apps.audit.models import AuditChain, AuditEntry
from apps.audit.verification import BROKEN, VERIFIED

CHECKPOINTED = "audit.checkpoint_written"

CHAINS = Gauge("pe_audit_chains", "Audit chains.", multiprocess_mode="mostrecent")
ENTRIES = Gauge(
    "pe_audit_entries",
    "Entries in all audit chains, by their heads.",
    multiprocess_mode="mostrecent",
)
CHECKPOINT = Gauge(
    "pe_audit_checkpoint_timestamp_seconds",
    "When the chain heads were last signed; of the first entry while never.",
    multiprocess_mode="mostrecent",
)
VERIFICATION = Gauge(
    "pe_audit_verified_timestamp_seconds",
    "When every link was last found good; of the first entry while never.",
    multiprocess_mode="mostrecent",
)
IS_BROKEN = Gauge(
    "pe_audit_broken",
    "1 when the last verification found a broken link.",
    multiprocess_mode="mostrecent",
)


def refresh() -> None:
    """Read what the gauges show; four queries by index.

    A log that was never verified has been unverified since its first entry.
    """
    heads = AuditChain.objects.aggregate(chains=Count("pk"), entries=Sum("sequence"))
    CHAINS.set(heads["chains"])
    ENTRIES.set(heads["entries"] or 0)
    events = (CHECKPOINTED, VERIFIED, BROKEN)
    rows = AuditEntry.objects.filter(event__in=events).values("event")
    found = rows.annotate(at=Max("recorded_at")).order_by()
    last = {row["event"]: row["at"].timestamp() for row in found}
    began = AuditEntry.objects.aggregate(at=Min("recorded_at"))["at"] or timezone.now()
    CHECKPOINT.set(last.get(CHECKPOINTED, began.timestamp()))
    VERIFICATION.set(last.get(VERIFIED, began.timestamp()))
    IS_BROKEN.set(int(last.get(BROKEN, 0) > last.get(VERIFIED, 0)))
