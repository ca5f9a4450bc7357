"""Paths under /api/v1/ for readers of datasets."""

from __future__ import annotations

from django.urls import path

from apps.datasets.api import GrantsView, RowsView

urlpatterns = [
    path("datasets/grants", GrantsView.as_view(), name="grants"),
    path("datasets/grants/<uuid:grant_id>/rows", RowsView.as_view(), name="rows"),
]
app_name = "datasets"
