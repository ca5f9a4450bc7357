"""The API of the platform, version 1: translation between HTTP and the gated path.

Views decide nothing. A request is refused before the gates have seen its text only for
want of a key, a scope, a rate or a readable text; each of those refusals carries the
contacts of the locale, so that nobody is left without help.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api import ApiKeyAuthentication, HasScope, RateLimitedView
from apps.accounts.permissions import actor_for_key
from apps.accounts.quotas import quota_state
from apps.inference import operations
from apps.inference.accepting import accept, body_of, key_of, limits_of, tell_when
from apps.inference.contracts import FixedText
from apps.inference.http import ApiView, json_response
from apps.inference.parsing import DEFAULT_LOCALE, locale_of, read_request
from apps.inference.parts import fixed_text
from apps.inference.rendering import render_contacts, render_key, render_record
from apps.inference.replaying import render_replay, replay_request
from apps.inference.selectors import record_of_key, served_models
from apps.inference.serving import serve_request


class PredictView(RateLimitedView, ApiView):
    """One text through the six gates, the model, and the six gates again."""

    required_scope = "inference:predict"
    locale = DEFAULT_LOCALE

    @extend_schema(**operations.PREDICT)
    def post(self, request: Request, name: str) -> HttpResponse:
        caller = key_of(request)
        # Any: whatever JSON was sent; read_request narrows it.
        body: Any = body_of(request)
        self.locale = locale_of(body)
        asked = read_request(
            body,
            request_id=uuid.uuid4(),
            model_name=name,
            limits=limits_of(caller),
            deadline_ms=settings.PE_INFERENCE_DEADLINE_MS,
        )
        accepted = accept(caller, request, name, body)
        if accepted.stored is not None:
            replayed = json_response(accepted.stored.body, accepted.stored.status)
            replayed["Idempotent-Replayed"] = "true"
            return replayed
        sent = serve_request(
            caller=caller, request=asked, parts=accepted.parts, claim=accepted.claim
        )
        response = json_response(sent.body, sent.status)
        tell_when(response, sent.retry_after_s)
        return response

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
