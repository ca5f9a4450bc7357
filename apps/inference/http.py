"""How the API speaks HTTP: one slim base view, problems for everything that fails.

The base view denies by default: authentication and scopes come from settings and from
``required_scope``. It renders with orjson and negotiates nothing, since there is one
representation.
"""

from __future__ import annotations

import logging
from typing import Any

import orjson
from django.http import HttpResponse
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.errors import PlatformError, Unavailable
from apps.core.problems import CONTENT_TYPE as PROBLEM_TYPE
from apps.inference.errors import NotJson

logger = logging.getLogger(__name__)

JSON_TYPE = "application/json"


class OrjsonRenderer(BaseRenderer):
    media_type = JSON_TYPE
    format = "json"
    charset = None

    # Any: DRF's renderer signature.
    def render(self, data: Any, *_: Any, **__: Any) -> bytes:
        return b"" if data is None else orjson.dumps(data)


class OneRepresentation(BaseContentNegotiation):
    """JSON is what there is; an Accept header chooses nothing."""

    # Any: DRF's parser and renderer instances.
    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0] if parsers else None

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        return renderers[0], renderers[0].media_type


class ApiView(APIView):
    """Base of every view under /api/v1/."""

    renderer_classes: list[type[BaseRenderer]] = [OrjsonRenderer]
    parser_classes: list[type[BaseParser]] = []
    content_negotiation_class = OneRepresentation
    # OPTIONS would describe the view; the schema does that.
    metadata_class = None

    def handle_exception(self, exc: Exception) -> Response:
        """A problem for everything: what nobody foresaw is logged and answered 503."""
        try:
            return super().handle_exception(exc)
        except Exception as unforeseen:  # the outermost entry point; logged
            logger.error("Unforeseen failure", exc_info=unforeseen)
            return super().handle_exception(self.unforeseen())

    # Any: DRF's signature; the response may be a plain HttpResponse.
    def finalize_response(self, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().finalize_response(*args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    def unforeseen(self) -> PlatformError:
        """What is said in place of an error nobody foresaw."""
        return Unavailable("Something failed here. Try again later.")


def json_response(body: dict[str, object] | bytes, status: int = 200) -> HttpResponse:
    """JSON as it is, with the problem type from 400 on."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    kind = PROBLEM_TYPE if status >= 400 else JSON_TYPE
    return HttpResponse(content, status=status, content_type=kind)


def require_json(request: Request) -> None:
    """NotJson (415) unless the body says that it is JSON."""
    if request.content_type.partition(";")[0].strip().lower() != JSON_TYPE:
        raise NotJson(f"Send the body with Content-Type: {JSON_TYPE}.")
