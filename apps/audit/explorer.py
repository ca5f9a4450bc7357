"""Pages beside the log's list: the timeline of one subject, and exports.

An export is an event of its own, recorded before the first row leaves. It names which
filters were set; what was typed into the search is not repeated.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

from apps.audit.chain import DIGESTED_FIELDS, instant
from apps.audit.models import AuditEntry
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject

EXPORT_PERMISSION = "audit.export_auditentry"
EXPORTED = "audit.entries_exported"
FIELDS = ("recorded_at", *DIGESTED_FIELDS, "digest")
CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
CHUNK = 2000
# A cell that begins so is a formula to a spreadsheet.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, value: str) -> str:
        return value


def export(
    request: HttpRequest, actor: Actor, rows: QuerySet[AuditEntry], form: str
) -> HttpResponseBase:
    """The rows as a download, streamed; Http404 for a form other than csv and json.

    Raises PermissionDenied without ``audit.export_auditentry``.
    """
    if EXPORT_PERMISSION not in actor.permissions:
        raise PermissionDenied
    if form not in CONTENT_TYPES:
        raise Http404
    details: dict[str, object] = {
        "format": form,
        "entries": rows.count(),
        "filters": sorted(key[:80] for key in request.GET if request.GET[key]),
    }
    newest = AuditEntry.objects.order_by("-id").values_list("id", flat=True).first()
    with transaction.atomic():
        record_event(
            actor=actor,
            event=EXPORTED,
            subject=Subject("audit.auditentry", "*"),
            details=details,
        )
    # The record of the export itself is not in it: the same filters give its count.
    found = rows.filter(id__lte=newest or 0).order_by("id")
    lines = _csv(found) if form == "csv" else _json(found)
    response = StreamingHttpResponse(lines, content_type=CONTENT_TYPES[form])
    name = f"audit-{timezone.now():%Y%m%dT%H%M%SZ}.{form}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


# Any: a row's values have the types of its columns.
def as_record(entry: AuditEntry) -> dict[str, Any]:
    """One entry with everything its digest covers, and the digest."""
    record = {name: getattr(entry, name) for name in FIELDS}
    return record | {"recorded_at": instant(entry.recorded_at)}


def _csv(rows: QuerySet[AuditEntry]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(FIELDS)
    for entry in rows.iterator(chunk_size=CHUNK):
        yield writer.writerow(_cells(as_record(entry).values()))


def _cells(values: Iterable[object]) -> list[str]:
    found = []
    for value in values:
        text = json.dumps(value) if isinstance(value, dict) else str(value)
        found.append(f"'{text}" if text.startswith(FORMULA) else text)
    return found


def _json(rows: QuerySet[AuditEntry]) -> Iterator[str]:
    yield "["
    before = "\n"
    for entry in rows.iterator(chunk_size=CHUNK):
        yield before + json.dumps(as_record(entry), ensure_ascii=False)
        before = ",\n"
    yield "\n]\n"
