"""What happened in a period: sign-offs, what was in production, looks at texts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Q

from apps.approvals.models import ApprovalRequest, SignOff
from apps.audit.models import AuditEntry
from apps.core.errors import InvalidInput
from apps.models_registry.models import AliasChange
from apps.safety.models import SafetyPolicy

Rows = list[dict[str, object]]
# Every event that says that somebody or some program saw what was sealed or masked. A
# test compares it with the code that opens sealed values.
LOOKS = (
    "safety.escalation_text_read",
    "inference.request_replayed",
    "inference.words_read",
    "compliance.subject_opened",
    "compliance.subject_exported",
    "datasets.rows_asked",
    "datasets.rows_read",
)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days in UTC, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise InvalidInput("A period ends on the day it starts, or later.")

    @property
    def start(self) -> datetime:
        return datetime.combine(self.first, time.min, UTC)

    @property
    def end(self) -> datetime:
        """The first moment that is no longer in it."""
        return datetime.combine(self.last + timedelta(days=1), time.min, UTC)

    def covers(self, field: str) -> Q:
        """The condition that a moment lies in the period."""
        return Q(**{f"{field}__gte": self.start, f"{field}__lt": self.end})


def approvals(period: Period) -> Rows:
    """Requests that were opened, signed or decided in the period, with signatures."""
    wanted = (
        period.covers("created_at")
        | period.covers("decided_at")
        | period.covers("sign_offs__signed_at")
    )
    requests = ApprovalRequest.objects.filter(wanted).distinct()
    found = requests.select_related("author", "requested_by").prefetch_related(
        "sign_offs__signer"
    )
    return [
        {
            "id": str(one.pk),
            "subject": f"{one.subject_label} {one.subject_id}",
            "digest": one.subject_digest,
            "title": one.title,
            "author": one.author.get_username(),
            "requested_by": one.requested_by.get_username(),
            "quorum": one.quorum,
            "state": one.state,
            "created_at": _moment(one.created_at),
            "decided_at": _moment(one.decided_at),
            "sign_offs": [_signed(sign_off) for sign_off in one.sign_offs.all()],
        }
        for one in found.order_by("created_at", "pk")
    ]


def _signed(sign_off: SignOff) -> dict[str, object]:
    return {
        "signer": sign_off.signer.get_username(),
        "role": sign_off.role,
        "outcome": sign_off.outcome,
        "meaning": sign_off.meaning,
        "reason": sign_off.reason,
        "digest": sign_off.subject_digest,
        "signed_at": _moment(sign_off.signed_at),
    }


def production(period: Period) -> Rows:
    """Which version each alias pointed at, from when until when, and by which
    approval; also what was there when the period began."""
    changes = AliasChange.objects.filter(changed_at__lt=period.end)
    rows = changes.select_related("model", "to_version", "changed_by")
    by_alias: dict[tuple[str, str], list[AliasChange]] = {}
    for change in rows.order_by("changed_at", "pk").iterator(chunk_size=500):
        by_alias.setdefault((change.model.name, change.alias), []).append(change)
    return [
        _in_place(change, following)
        for changes_of in by_alias.values()
        for change, following in zip(changes_of, [*changes_of[1:], None], strict=True)
        if following is None or following.changed_at > period.start
    ]


def _in_place(change: AliasChange, following: AliasChange | None) -> dict[str, object]:
    return {
        "model": change.model.name,
        "alias": change.alias,
        "version": change.to_version.number,
        "digest": change.to_digest,
        "approval": str(change.approval_id),
        "from": _moment(change.changed_at),
        "until": _moment(following.changed_at) if following else None,
        "by": change.changed_by.get_username(),
        "reason": change.reason,
        "is_rollback": change.is_rollback,
    }


def policies(period: Period) -> Rows:
    """Safety policies that were in force at some time in the period."""
    started = SafetyPolicy.objects.filter(starts_at__lt=period.end)
    wanted = started.filter(
        Q(retired_at__isnull=True) | Q(retired_at__gt=period.start)
    ).select_related("author", "retired_by")
    return [
        {
            "name": one.name,
            "version": one.version,
            "digest": one.digest,
            "author": one.author.get_username(),
            "starts_at": _moment(one.starts_at),
            "retired_at": _moment(one.retired_at),
        }
        for one in wanted.order_by("name", "version")
    ]


def looks(period: Period) -> Rows:
    """Every look at sealed text or at rows of a grant: who, at what, and why."""
    entries = AuditEntry.objects.filter(period.covers("recorded_at"), event__in=LOOKS)
    return [
        {
            "at": _moment(entry.recorded_at),
            "event": entry.event,
            "who": entry.actor_label,
            "kind": entry.actor_kind,
            "what": f"{entry.subject_label} {entry.subject_id}",
            "why": entry.details.get("reason", ""),
            "entry": f"{entry.chain}#{entry.sequence}",
        }
        for entry in entries.order_by("recorded_at", "pk").iterator(chunk_size=1000)
    ]


def _moment(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
