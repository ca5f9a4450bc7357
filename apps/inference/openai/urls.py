"""Paths under /v1/."""

from __future__ import annotations

from django.urls import path

from apps.inference.openai.views import (
    ChatCompletionsView,
    ModelsView,
    ModelView,
    ModerationsView,
)

urlpatterns = [
    path("chat/completions", ChatCompletionsView.as_view(), name="chat"),
    path("moderations", ModerationsView.as_view(), name="moderations"),
    path("models", ModelsView.as_view(), name="models"),
    path("models/<path:name>", ModelView.as_view(), name="model"),
]
app_name = "openai"
