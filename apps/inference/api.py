"""The API of the platform, version 1: translation between HTTP and the gated path.

Views decide nothing. A request is refused before the gates have seen its text only for
want of a key, a scope, a rate or a readable text; each of those refusals carries the
contacts of the locale, so that nobody is left without help.
"""

from __future__ import annotations

import logging
import math
import uuid
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api import ApiKeyAuthentication, HasScope, RateLimitedView
from apps.accounts.contracts import KeyFacts
from apps.accounts.errors import KeyMissing
from apps.accounts.permissions import actor_for_key
from apps.accounts.quotas import quota_state
from apps.inference import operations
from apps.inference.contracts import FixedText
from apps.inference.errors import BodyTooLarge
from apps.inference.http import ApiView, json_response, require_json
from apps.inference.idempotency import Claim, StoredResponse, claim_or_replay
from apps.inference.parsing import (
    DEFAULT_LOCALE,
    Limits,
    locale_of,
    parse_json,
    read_idempotency_key,
    read_request,
)
from apps.inference.parts import PlatformParts, UnclaimedParts, fixed_text
from apps.inference.rendering import render_contacts, render_key, render_record
from apps.inference.replaying import render_replay, replay_request
from apps.inference.selectors import record_of_key, served_models
from apps.inference.serving import serve_request
from apps.safety.services import text_digest

logger = logging.getLogger(__name__)

# Earlier turns may hold this many times what one text may.
CONTEXT_FACTOR = 4


class PredictView(RateLimitedView, ApiView):
    """One text through the six gates, the model, and the six gates again."""

    required_scope = "inference:predict"
    locale = DEFAULT_LOCALE

    @extend_schema(**operations.PREDICT)
    def post(self, request: Request, name: str) -> HttpResponse:
        caller = key_of(request)
        # Any: whatever JSON was sent; read_request narrows it.
        body: Any = self._body(request)
        asked = read_request(
            body,
            request_id=uuid.uuid4(),
            model_name=name,
            limits=_limits(caller),
            deadline_ms=settings.PE_INFERENCE_DEADLINE_MS,
        )
        key = read_idempotency_key(request.META.get("HTTP_IDEMPOTENCY_KEY"))
        parts = PlatformParts(caller)
        try:
            claim = _claim(caller, key, name, body) if key else None
        except DatabaseError as error:
            # Refusing here would keep the crisis gate from seeing the text.
            logger.error("Idempotency key not claimed", exc_info=error)
            claim, parts = None, UnclaimedParts(caller)
        if isinstance(claim, StoredResponse):
            replayed = json_response(claim.body, claim.status)
            replayed["Idempotent-Replayed"] = "true"
            return replayed
        sent = serve_request(caller=caller, request=asked, parts=parts, claim=claim)
        response = json_response(sent.body, sent.status)
        if sent.retry_after_s is not None:
            response["Retry-After"] = str(max(1, math.ceil(sent.retry_after_s)))
        return response

    def _body(self, request: Request) -> Any:
        require_json(request)
        try:
            raw = request.body
        except RequestDataTooBig as error:
            raise BodyTooLarge("The body is larger than this API reads.") from error
        body = parse_json(raw)
        self.locale = locale_of(body)
        return body

    def handle_exception(self, exc: Exception) -> Response:
        """The problem, with contacts; with the fixed text where something failed."""
        response = super().handle_exception(exc)
        if isinstance(response.data, dict):
            fixed = fixed_text(FixedText.UNAVAILABLE, self.locale)
            response.data["contacts"] = render_contacts(fixed.contacts)
            if response.status_code >= 500:
                response.data["output"] = {
                    "text": fixed.text,
                    "source": "fixed",
                    "labels": {},
                }
        return response


class ModelsView(RateLimitedView, ApiView):
    """The models this key may use."""

    required_scope = "models:read"

    @extend_schema(**operations.MODELS)
    def get(self, request: Request) -> HttpResponse:
        return json_response({"models": served_models(key_of(request))})


class RequestView(RateLimitedView, ApiView):
    """What was decided about one earlier request of this key, without any text."""

    required_scope = "inference:read"

    @extend_schema(**operations.REQUEST)
    def get(self, request: Request, request_id: uuid.UUID) -> HttpResponse:
        record = record_of_key(request_id, key_of(request))
        return json_response(render_record(record))


class ReplayView(RateLimitedView, ApiView):
    """What today's gates and policy would say about an earlier request of this key."""

    required_scope = "inference:replay"

    @extend_schema(**operations.REPLAY)
    def post(self, request: Request, request_id: uuid.UUID) -> HttpResponse:
        caller = key_of(request)
        record = record_of_key(request_id, caller)
        replay = replay_request(actor=actor_for_key(caller), record=record)
        return json_response(render_replay(replay))


class MeView(RateLimitedView, ApiView):
    """Facts about the key that asks, its rate and its quota."""

    required_scope = "inference:read"

    @extend_schema(**operations.ME)
    def get(self, request: Request) -> HttpResponse:
        caller = key_of(request)
        quotas = quota_state(caller.family_id, caller.tier, timezone.now())
        return json_response(render_key(caller, self.rate_state, quotas))


class SchemaView(RateLimitedView, SpectacularJSONAPIView):
    """This API as OpenAPI 3.1, for programs; people read it at /docs/api/."""

    required_scope = "models:read"
    permission_classes = [HasScope]
    authentication_classes = [ApiKeyAuthentication]


def key_of(request: Request) -> KeyFacts:
    """The key of a request that passed HasScope; KeyMissing for any other."""
    caller = request.auth
    if not isinstance(caller, KeyFacts):
        raise KeyMissing("Send the header: Authorization: Bearer API_KEY")
    return caller


def _limits(caller: KeyFacts) -> Limits:
    chars = caller.tier.max_text_chars
    return Limits(text_chars=chars, context_chars=chars * CONTEXT_FACTOR)


def _claim(caller: KeyFacts, key: str, name: str, body: Any) -> Claim | StoredResponse:
    content = orjson.dumps([name, body], option=orjson.OPT_SORT_KEYS)
    return claim_or_replay(
        key_family_id=caller.family_id,
        idempotency_key=key,
        body_digest=text_digest(content.decode()),
    )
