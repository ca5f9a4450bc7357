"""Paths under /v2/."""

from __future__ import annotations

from django.urls import path

from apps.inference.open_protocol.api import InferView, ModelReadyView, ModelView

MODEL = "models/<slug:name>"
VERSION = f"{MODEL}/versions/<slug:version>"

urlpatterns = [
    path(at + tail, view.as_view(), name=f"{name}{suffix}")
    for at, suffix in ((MODEL, ""), (VERSION, "-version"))
    for tail, view, name in (
        ("", ModelView, "model"),
        ("/ready", ModelReadyView, "ready"),
        ("/infer", InferView, "infer"),
    )
]
app_name = "open_protocol"
