"""/v1: what programs written for OpenAI ask. Translation only; the path decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api import RateLimitedView
from apps.inference.accepting import accept, body_of, key_of, limits_of, tell_when
from apps.inference.contracts import FixedText
from apps.inference.errors import NotRecorded, UnknownModel
from apps.inference.http import ApiView
from apps.inference.openai.errors import JSON_TYPE, openai_handler
from apps.inference.openai.moderation import (
    close_moderation,
    judge,
    read_moderation,
    render_moderation,
)
from apps.inference.openai.parsing import chat_locale, read_chat
from apps.inference.openai.rendering import ChatRender
from apps.inference.parsing import DEFAULT_LOCALE
from apps.inference.parts import PlatformParts, fixed_text
from apps.inference.rendering import OK, render_contacts
from apps.inference.selectors import served_aliases
from apps.inference.serving import serve_request
from apps.inference.stream_serving import Asked, serve_stream
from apps.models_registry.models import ModelAlias

STREAM_TYPE = "text/event-stream"
OWNER = "pixelated-empathy"


class OpenAiView(RateLimitedView, ApiView):
    """Base of the views under /v1/: their errors are shaped as OpenAI's."""

    # Any: DRF's signature.
    def get_exception_handler(self) -> Any:
        return openai_handler


class TextView(OpenAiView):
    """A view that a participant's words are sent to; its errors say where help is."""

    locale = DEFAULT_LOCALE

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if isinstance(response.data, dict):
            fixed = fixed_text(FixedText.UNAVAILABLE, self.locale)
            own = response.data["pe"]
            own["resources"] = render_contacts(fixed.contacts)
            if response.status_code >= 500:
                own["text"] = fixed.text
        return response


class ChatCompletionsView(TextView):
    """The last user message through the gates, the model, and the gates again."""

    required_scope = "inference:predict"

    @extend_schema(exclude=True)
    def post(self, request: Request) -> HttpResponseBase:
        caller = key_of(request)
        # Any: whatever JSON was sent; read_chat narrows it.
        body: Any = body_of(request)
        self.locale = chat_locale(body)
        asked = read_chat(
            body,
            limits=limits_of(caller),
            deadline_ms=settings.PE_CHAT_DEADLINE_MS,
        )
        accepted = accept(caller, request, "chat.completions", body)
        if accepted.stored is not None:
            kept = accepted.stored
            replayed = _response(kept.body, kept.status, is_stream=asked.is_stream)
            replayed["Idempotent-Replayed"] = "true"
            return replayed
        render = ChatRender(asked)
        if not asked.is_stream:
            sent = serve_request(
                caller=caller,
                request=asked.request,
                parts=accepted.parts,
                claim=accepted.claim,
                render=render.body,
            )
        else:
            served = serve_stream(
                Asked(caller, asked.request, accepted.parts, render, accepted.claim)
            )
            if isinstance(served, Iterator):
                return _streaming(served)
            sent = served
        response = _response(sent.body, sent.status, is_stream=asked.is_stream)
        tell_when(response, sent.retry_after_s)
        return response


class ModerationsView(TextView):
    """Texts through the gates of one stage: categories and scores, no text."""

    required_scope = "inference:predict"

    @extend_schema(exclude=True)
    def post(self, request: Request) -> HttpResponse:
        caller = key_of(request)
        # Any: whatever JSON was sent; read_moderation narrows it.
        body: Any = body_of(request)
        self.locale = chat_locale(body)
        asked = read_moderation(body, limits_of(caller))
        guard = PlatformParts(caller).guard()
        judged = judge(asked, guard)
        try:
            close_moderation(caller=caller, asked=asked, guard=guard, judged=judged)
        except DatabaseError as error:
            raise NotRecorded("The request could not be recorded.") from error
        return _json(render_moderation(asked, guard, judged))


def _response(body: bytes, status: int, *, is_stream: bool) -> HttpResponse:
    kind = STREAM_TYPE if is_stream and status == OK else JSON_TYPE
    return HttpResponse(body, status=status, content_type=kind)


def _streaming(pieces: Iterator[bytes]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(pieces, content_type=STREAM_TYPE)
    # nginx would collect the pieces; whoever reads waits for each.
    response["X-Accel-Buffering"] = "no"
    return response


class ModelsView(OpenAiView):
    """The models this key may use."""

    required_scope = "models:read"

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        data = [_model(alias) for alias in served_aliases(key_of(request))]
        return _json({"object": "list", "data": data})


class ModelView(OpenAiView):
    """One model this key may use."""

    required_scope = "models:read"

    @extend_schema(exclude=True)
    def get(self, request: Request, name: str) -> HttpResponse:
        for alias in served_aliases(key_of(request)):
            if alias.model.name == name:
                return _json(_model(alias))
        raise UnknownModel("There is no such model. GET /v1/models lists yours.")


def _model(alias: ModelAlias) -> dict[str, object]:
    return {
        "id": alias.model.name,
        "object": "model",
        "created": int(alias.version.created_at.timestamp()),
        "owned_by": OWNER,
    }


def _json(content: dict[str, object]) -> HttpResponse:
    return HttpResponse(orjson.dumps(content), content_type=JSON_TYPE)
