"""Open Inference Protocol v2 over HTTP. Views translate; the gated path decides.

Nothing is open: probes use /livez and /readyz, programs send their key here too. Every
error is a problem body with the protocol's own member ``error`` beside it, and after an
infer request also the contacts that help while nothing else does.
"""

from __future__ import annotations

import math
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api import RateLimitedView
from apps.accounts.contracts import KeyFacts
from apps.accounts.limits import check_rate
from apps.core.problems import problem_body
from apps.inference.accepting import key_of, limits_of
from apps.inference.compression import unfolded
from apps.inference.contracts import FixedText, Routed, RouteQuestion
from apps.inference.errors import BodyTooLarge, NothingServed, UnknownModel
from apps.inference.http import ApiView, json_response
from apps.inference.open_protocol.answering import (
    OUTPUTS,
    Packed,
    check_wanted,
    delivered,
    packed,
    tensors_of,
)
from apps.inference.open_protocol.reading import (
    HEADER_LENGTH,
    OPTIONAL,
    TEXT,
    InferRequest,
    read_infer,
)
from apps.inference.parsing import DEFAULT_LOCALE
from apps.inference.parts import PlatformParts, fixed_text
from apps.inference.rendering import render_contacts
from apps.inference.selectors import served_models
from apps.inference.services import Outgoing
from apps.inference.serving import serve_request

EXTENSIONS = ["binary_tensor_data"]
OK = 200


class ProtocolView(ApiView):
    """Base of every view under /v2: the protocol's error member, no OpenAPI entry."""

    # The protocol is described by its own specification.
    schema = None
    required_scope = "models:read"

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if isinstance(response.data, dict):
            response.data["error"] = response.data.get("detail", "")
        return response


class ServerView(RateLimitedView, ProtocolView):
    def get(self, request: Request) -> HttpResponse:
        key_of(request)
        return json_response(
            {
                "name": "pixelated-empathy",
                "version": settings.PE_VERSION,
                "extensions": EXTENSIONS,
            }
        )


class ModelView(RateLimitedView, ProtocolView):
    """Metadata: every model here takes texts and gives gated texts and labels."""

    def get(self, request: Request, name: str, version: str = "") -> HttpResponse:
        model = served(key_of(request), name, version)
        inputs = [{"name": n, "datatype": "BYTES", "shape": [-1]} for n in _inputs()]
        outputs = [
            {"name": n, "datatype": datatype, "shape": [-1, *shape]}
            for n, (datatype, shape) in OUTPUTS.items()
        ]
        return json_response(
            {
                "name": name,
                "versions": [model["version"]],
                "platform": "pixelated-empathy",
                "inputs": inputs,
                "outputs": outputs,
            }
        )


class ModelReadyView(RateLimitedView, ProtocolView):
    def get(self, request: Request, name: str, version: str = "") -> HttpResponse:
        served(key_of(request), name, version)
        return json_response({"name": name, "ready": True})


def _inputs() -> tuple[str, ...]:
    return (TEXT, *OPTIONAL)


def served(caller: KeyFacts, name: str, version: str) -> dict[str, str]:
    """A model in production that the key may use, in this version if one is named."""
    found = [model for model in served_models(caller) if model["name"] == name]
    if not found:
        raise UnknownModel("There is no such model in production for this key.")
    _check_version(found[0]["version"], version)
    return found[0]


def _check_version(in_production: str, wanted: str) -> None:
    if wanted and wanted != in_production:
        raise NothingServed(
            "This version of the model is not in production. Leave the version out, "
            "or ask for the one that the model's metadata names."
        )


class VersionedParts(PlatformParts):
    """Parts that answer only from the version that the path names, if it names one."""

    def __init__(self, caller: KeyFacts, version: str) -> None:
        super().__init__(caller)
        self._version = version

    def route(self, question: RouteQuestion) -> Routed:
        routed = super().route(question)
        _check_version(str(routed.version.number), self._version)
        return routed


class InferView(RateLimitedView, ProtocolView):
    """Texts through the six gates, the model and the six gates again, one by one."""

    required_scope = "inference:predict"
    locale = DEFAULT_LOCALE

    def post(self, request: Request, name: str, version: str = "") -> HttpResponse:
        caller = key_of(request)
        asked = read_infer(_body(request), request.META.get(HEADER_LENGTH))
        check_wanted(asked)
        requests = asked.serving_requests(
            name,
            limits_of(caller),
            settings.PE_INFERENCE_DEADLINE_MS,
        )
        self.locale = requests[0].locale
        if len(requests) > 1:
            check_rate(caller, cost=len(requests) - 1)
        parts = VersionedParts(caller, version)
        sent = [serve_request(caller=caller, request=r, parts=parts) for r in requests]
        return _response(asked, name, sent)

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if isinstance(response.data, dict):
            fixed = fixed_text(FixedText.UNAVAILABLE, self.locale)
            response.data["contacts"] = render_contacts(fixed.contacts)
        return response


def _body(request: Request) -> bytes:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    try:
        raw = request.body
    except RequestDataTooBig as error:
        raise BodyTooLarge("The body is larger than this API reads.") from error
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "")
    return b"".join(unfolded([raw], encoding, limit_bytes=limit))


def _response(asked: InferRequest, name: str, sent: list[Outgoing]) -> HttpResponse:
    """Tensors; a problem that holds them all when one text could not be answered."""
    answers = [delivered(one) for one in sent]
    failed = [number for number, one in enumerate(sent) if one.status != OK]
    if not failed:
        return _tensors(packed(asked, name, answers))
    first = sent[failed[0]]
    response = json_response(_problem(answers, failed[0]), first.status)
    if first.retry_after_s is not None:
        response["Retry-After"] = str(max(1, math.ceil(first.retry_after_s)))
    return response


def _tensors(made: Packed) -> HttpResponse:
    if made.header_bytes is None:
        return json_response(made.body)
    response = HttpResponse(made.body, content_type="application/octet-stream")
    response["Inference-Header-Content-Length"] = str(made.header_bytes)
    return response


# Any: members of native answers.
def _problem(answers: list[dict[str, Any]], failed: int) -> dict[str, object]:
    """The first problem, and every text's approved or gated answer."""
    problem = answers[failed]
    detail = str(problem["detail"])
    return problem_body(
        code=problem["code"],
        title=problem["title"],
        status=problem["status"],
        detail=detail,
        error=detail,
        contacts=problem["contacts"],
        outputs=[tensor.as_json() for tensor in tensors_of(answers).values()],
    )
