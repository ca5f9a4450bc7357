"""Secrets of model endpoints: which there are and who set them, never what they are."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from apps.core.actors import Actor
from apps.models_registry import services
from apps.models_registry.admin.screens import ServiceAddAdmin
from apps.models_registry.models import EndpointSecret


class SecretForm(forms.Form):
    name = forms.SlugField(max_length=60, widget=UnfoldAdminTextInputWidget)
    base_url = forms.CharField(
        label="Base URL of the endpoint",
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
    )
    secret = forms.CharField(
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"})
    )


@admin.register(EndpointSecret)
class EndpointSecretAdmin(ServiceAddAdmin):
    add_form = SecretForm
    add_permission = "models_registry.set_endpointsecret"
    list_display = ("name", "origin", "set_by", "set_at")
    list_select_related = ("set_by",)
    fields = ("name", "origin", "set_by", "set_at")
    readonly_fields = fields

    def create(self, actor: Actor, cleaned: dict[str, Any]) -> EndpointSecret:
        return services.set_endpoint_secret(actor=actor, **cleaned)
