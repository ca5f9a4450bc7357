"""Batches over HTTP: a JSON Lines body in, JSON Lines out, compressed or not."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from apps.accounts.api import RateLimitedView
from apps.inference.accepting import key_of, limits_of
from apps.inference.batches import operations
from apps.inference.batches.ending import cancel_batch
from apps.inference.batches.reporting import (
    JOBS_LISTED,
    job_of_key,
    jobs_of_key,
    render_job,
    render_jobs,
    results_of,
)
from apps.inference.batches.submitting import Submission, submit_batch
from apps.inference.compression import folded, unfolded
from apps.inference.errors import InvalidField, NotJsonLines
from apps.inference.http import ApiView, json_response
from apps.inference.parsing import read_idempotency_key

JSON_LINES = "application/jsonl"
ACCEPTED_TYPES = frozenset({JSON_LINES, "application/x-ndjson"})
MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
READ_BYTES = 1 << 16
ACCEPTED = 202


class BatchesView(RateLimitedView, ApiView):
    """Submit a batch, or list the latest ones of this line of keys."""

    required_scope = "inference:batch"

    @extend_schema(**operations.SUBMIT)
    def post(self, request: Request) -> HttpResponse:
        caller = key_of(request)
        asked = Submission(
            model_name=_model_name(request),
            pieces=_body(request),
            limits=limits_of(caller),
            idempotency_key=read_idempotency_key(
                request.META.get("HTTP_IDEMPOTENCY_KEY")
            ),
        )
        job = submit_batch(caller=caller, asked=asked)
        response = json_response(render_job(job), ACCEPTED)
        response["Location"] = f"/api/v1/batches/{job.pk}"
        return response

    @extend_schema(**operations.LIST)
    def get(self, request: Request) -> HttpResponse:
        jobs = jobs_of_key(key_of(request))[:JOBS_LISTED]
        return json_response({"batches": render_jobs(jobs)})


class BatchView(RateLimitedView, ApiView):
    """How far a batch is."""

    required_scope = "inference:batch"

    @extend_schema(**operations.READ)
    def get(self, request: Request, job_id: uuid.UUID) -> HttpResponse:
        return json_response(render_job(job_of_key(job_id, key_of(request))))


class CancelBatchView(RateLimitedView, ApiView):
    required_scope = "inference:batch"

    @extend_schema(**operations.CANCEL)
    def post(self, request: Request, job_id: uuid.UUID) -> HttpResponse:
        caller = key_of(request)
        job = cancel_batch(caller=caller, job=job_of_key(job_id, caller))
        return json_response(render_job(job))


class BatchResultsView(RateLimitedView, ApiView):
    """The lines that are closed, also while others are not."""

    required_scope = "inference:batch"

    @extend_schema(**operations.RESULTS)
    def get(self, request: Request, job_id: uuid.UUID) -> StreamingHttpResponse:
        job = job_of_key(job_id, key_of(request))
        lines = results_of(job, _position(request))
        packs = "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", "").lower()
        response = StreamingHttpResponse(
            folded(lines) if packs else lines, content_type=JSON_LINES
        )
        response["Vary"] = "Accept-Encoding"
        if packs:
            response["Content-Encoding"] = "gzip"
        return response


def _model_name(request: Request) -> str:
    name = request.GET.get("model", "")
    if not MODEL_NAME.fullmatch(name):
        raise InvalidField(f'The query needs "model", matching {MODEL_NAME.pattern}.')
    return name


def _position(request: Request) -> int:
    text = request.GET.get("after", "0")
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidField('"after" has to be the position of a line.')
    return int(text)


def _body(request: Request) -> Iterator[bytes]:
    kind = request.content_type.partition(";")[0].strip().lower()
    if kind not in ACCEPTED_TYPES:
        raise NotJsonLines(f"Send the body with Content-Type: {JSON_LINES}.")
    raw = request._request
    chunks = iter(lambda: raw.read(READ_BYTES), b"")
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "")
    return unfolded(chunks, encoding, limit_bytes=settings.PE_BATCH_MAX_BYTES)
