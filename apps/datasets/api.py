"""Rows of datasets over HTTP, for programs with a grant.

Positions are those of the grant (reading.py), so a reader that was cut off goes on with
``from``; an answer holds 2,000 rows at most and names the next one in ``Link``.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.accounts.api import RateLimitedView
from apps.accounts.contracts import KeyFacts
from apps.accounts.errors import KeyMissing
from apps.accounts.permissions import actor_for_key
from apps.core.errors import InvalidInput
from apps.datasets import operations, services
from apps.datasets.encoding import ENCODERS
from apps.datasets.models import DatasetGrant
from apps.datasets.reading import delivered_total


class GrantsView(RateLimitedView, APIView):
    """The grants of this program."""

    required_scope = "datasets:read"

    @extend_schema(**operations.GRANTS)
    def get(self, request: Request) -> HttpResponse:
        caller = _caller(request)
        rows = DatasetGrant.objects.filter(family_id=caller.family_id)
        found = [_shown(row) for row in rows.select_related("version__dataset")]
        return JsonResponse({"grants": found})


class RowsView(RateLimitedView, APIView):
    """The rows of one grant, as a stream."""

    required_scope = "datasets:read"

    @extend_schema(**operations.ROWS)
    def get(self, request: Request, grant_id: object) -> StreamingHttpResponse:
        caller = _caller(request)
        actor = actor_for_key(caller)
        read = services.prepare_read(
            actor=actor,
            family_id=caller.family_id,
            grant_id=str(grant_id),
            # Not query_params["format"]: DRF would choose a renderer by it.
            file_format=request.GET.get("format", "jsonl"),
            first=_whole_number(request.GET.get("from", "1")),
        )
        content: Iterator[bytes] = services.stream_read(actor=actor, read=read)
        _, kind = ENCODERS[read.file_format]
        response = StreamingHttpResponse(content, content_type=kind)
        response["Dataset-Rows"] = f"{read.first}-{read.last}/{read.total}"
        response["Cache-Control"] = "no-store"
        if read.last < read.total:
            query = f"?format={read.file_format}&from={read.last + 1}"
            response["Link"] = f'<{request.path}{query}>; rel="next"'
        return response

    # Any format reaches ``get``, which refuses it as a problem.
    def perform_content_negotiation(  # type: ignore[no-untyped-def]
        self, request: Request, force: bool = False
    ):
        renderer = self.get_renderers()[0]
        return renderer, renderer.media_type


def _caller(request: Request) -> KeyFacts:
    if not isinstance(request.auth, KeyFacts):
        raise KeyMissing("Send the header: Authorization: Bearer API_KEY")
    return request.auth


def _whole_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise InvalidInput('"from" is the number of a row, from 1.')
    return int(text)


def _shown(grant: DatasetGrant) -> dict[str, object]:
    return {
        "id": str(grant.pk),
        "dataset": grant.version.dataset.name,
        "version": grant.version.number,
        "digest": grant.version.digest,
        "state": grant.state,
        "purpose": grant.purpose,
        "columns": grant.columns,
        "where": grant.where,
        "shows_identifiers": grant.shows_identifiers,
        "rows": delivered_total(grant),
        "expires_at": grant.expires_at.isoformat() if grant.expires_at else None,
    }
