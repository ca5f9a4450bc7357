"""Health as the Open Inference Protocol asks for it: what probes see, with a key."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.request import Request

from apps.inference.http import json_response
from apps.inference.open_protocol.api import ProtocolView
from pe_platform.health import readiness


class LiveView(ProtocolView):
    def get(self, request: Request) -> HttpResponse:
        return json_response({"live": True})


class ReadyView(ProtocolView):
    def get(self, request: Request) -> HttpResponse:
        is_ready = all(readiness().values())
        return json_response({"ready": is_ready}, 200 if is_ready else 503)
