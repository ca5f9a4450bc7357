"""Paths under /api/v1/."""

from __future__ import annotations

from django.urls import path

from apps.inference.api import (
    MeView,
    ModelsView,
    PredictView,
    ReplayView,
    RequestView,
    SchemaView,
)

urlpatterns = [
    path("schema", SchemaView.as_view(), name="schema"),
    path("me", MeView.as_view(), name="me"),
    path("models", ModelsView.as_view(), name="models"),
    path("models/<slug:name>/predict", PredictView.as_view(), name="predict"),
    path("requests/<uuid:request_id>", RequestView.as_view(), name="request"),
    path("requests/<uuid:request_id>/replay", ReplayView.as_view(), name="replay"),
]
app_name = "inference"
