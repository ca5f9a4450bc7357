"""Screens on which rows are looked at, and added through a service only."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from apps.accounts.permissions import actor_for_user
from apps.audit.admin import ReadOnlyAdmin
from apps.core.actors import Actor
from apps.core.errors import PlatformError


class ServiceAddAdmin(ReadOnlyAdmin):
    """The add page is a plain form; what it says goes to one service."""

    add_form: type[forms.Form]
    add_permission = ""
    add_title = ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.add_permission)

    # Any: a form's cleaned data has the types of its fields.
    def create(self, actor: Actor, cleaned: dict[str, Any]) -> Model:
        raise NotImplementedError

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = self.add_form(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                created = self.create(actor_for_user(request.user), form.cleaned_data)
            except PlatformError as error:
                form.add_error(None, error.message)
            else:
                messages.success(request, f"{self.opts.verbose_name} was added.")
                return HttpResponseRedirect(self.page_of(created))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": self.add_title,
            "form": form,
            "list_url": reverse(f"admin:datasets_{self.opts.model_name}_changelist"),
        }
        return TemplateResponse(request, "admin/service_add_form.html", context)

    def page_of(self, row: Model) -> str:
        return reverse(f"admin:datasets_{self.opts.model_name}_change", args=[row.pk])
