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
from apps.inference.batches.api import (
    BatchesView,
    BatchResultsView,
    BatchView,
    CancelBatchView,
)

BATCH = "batches/<uuid:job_id>"

urlpatterns = [
    path("batches", BatchesView.as_view(), name="batches"),
    path(BATCH, BatchView.as_view(), name="batch"),
    path(f"{BATCH}/cancel", CancelBatchView.as_view(), name="cancel-batch"),
    path(f"{BATCH}/results", BatchResultsView.as_view(), name="batch-results"),
    path("schema", SchemaView.as_view(), name="schema"),
    path("me", MeView.as_view(), name="me"),
    path("models", ModelsView.as_view(), name="models"),
    path("models/<slug:name>/predict", PredictView.as_view(), name="predict"),
    path("requests/<uuid:request_id>", RequestView.as_view(), name="request"),
    path("requests/<uuid:request_id>/replay", ReplayView.as_view(), name="replay"),
]
app_name = "inference"
