"""Screens whose every write is one form and one service call.

The page says what will happen before it does, shows a refusal where it was caused, and
never writes a row itself. Secrets go into one response that nothing may cache.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts.permissions import actor_for_user
from apps.audit.admin import ReadOnlyAdmin
from apps.core.actors import Actor
from apps.core.errors import PlatformError

# Any: a form's cleaned data has the types of its fields.
Act = Callable[[Actor, dict[str, Any]], HttpResponse]


@dataclass(frozen=True, slots=True)
class Page:
    """One form: its title, the word on its button, and what happens then."""

    title: str
    button: str
    says: str = ""
    template: str = "admin/accounts/service_form.html"
    shown: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Secret:
    """Something shown once: what it is, for whom, and the value."""

    title: str
    label: str
    value: str
    says: str


class ServiceAdmin(ReadOnlyAdmin):
    """Rows to look at; verbs as pages."""

    def serve_form(
        self,
        request: HttpRequest,
        form: forms.BaseForm,
        page: Page,
        act: Act,
        row: Model | None = None,
    ) -> HttpResponse:
        """The form, or the response of ``act`` once it was filled in and accepted."""
        if request.method == "POST" and form.is_valid():
            try:
                return act(actor_for_user(request.user), form.cleaned_data)
            except PlatformError as error:
                form.add_error(None, error.message)
        context = self._context(request, page.title) | {
            **page.shown,
            "form": form,
            "page": page,
            "back_url": self.page_of(row),
        }
        return TemplateResponse(request, page.template, context)

    def show_once(
        self, request: HttpRequest, secret: Secret, row: Model
    ) -> HttpResponse:
        context = self._context(request, secret.title) | {
            "secret": secret,
            "back_url": self.page_of(row),
        }
        response = TemplateResponse(request, "admin/accounts/shown_once.html", context)
        response["Cache-Control"] = "no-store"
        return response

    # Any: a row of the screen's model.
    def row_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """The row; Http404 also for what is no identifier at all."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row

    def done(self, request: HttpRequest, message: str, row: Model) -> HttpResponse:
        messages.success(request, message)
        return HttpResponseRedirect(self.page_of(row))

    def page_of(self, row: Model | None) -> str:
        base = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        if row is None:
            return reverse(f"{base}_changelist")
        return reverse(f"{base}_change", args=[row.pk])

    def _context(self, request: HttpRequest, title: str) -> dict[str, object]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
        }


def posted(request: HttpRequest) -> Any:
    """What a form is bound to: the POST body, or nothing on the first look."""
    return request.POST if request.method == "POST" else None


def pretty_json(value: object) -> SafeString:
    """A JSON value as people read it."""
    return format_html(
        '<pre tabindex="0" class="text-xs whitespace-pre-wrap max-h-96 overflow-auto">'
        "{}</pre>",
        json.dumps(value, indent=2, ensure_ascii=False),
    )
