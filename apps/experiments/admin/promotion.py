"""Promotion policies and accepted risks on screen."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.accounts.screens import pretty_json
from apps.core.actors import Actor
from apps.experiments import services
from apps.experiments.models import AcceptedRisk, PromotionPolicy
from apps.experiments.services.promotion import MOST_DAYS
from apps.models_registry.admin.screens import ServiceAddAdmin
from apps.models_registry.models import ModelVersion
from apps.models_registry.selectors import version_numbered

POLICY_COLOURS = {
    PromotionPolicy.State.SUBMITTED: "info",
    PromotionPolicy.State.IN_FORCE: "success",
    PromotionPolicy.State.REJECTED: "danger",
    PromotionPolicy.State.RETIRED: "default",
}
RISK_COLOURS = {
    AcceptedRisk.State.SUBMITTED: "info",
    AcceptedRisk.State.ACCEPTED: "warning",
    AcceptedRisk.State.REJECTED: "danger",
}


class PolicyForm(forms.Form):
    document = forms.CharField(
        label="Policy (JSON)", widget=UnfoldAdminTextareaWidget(attrs={"rows": 20})
    )

    def clean_document(self) -> object:
        try:
            return json.loads(self.cleaned_data["document"])
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(f"This is not JSON: {error}") from error


class RiskForm(forms.Form):
    model = forms.CharField(max_length=60, widget=UnfoldAdminTextInputWidget)
    number = forms.IntegerField(
        label="Version", min_value=1, widget=UnfoldAdminIntegerFieldWidget
    )
    rule = forms.CharField(
        max_length=240,
        widget=UnfoldAdminTextInputWidget,
        help_text="As `manage.py promotion_policy check` names it.",
    )
    reason = forms.CharField(widget=UnfoldAdminTextareaWidget)
    days = forms.IntegerField(
        min_value=1, max_value=MOST_DAYS, widget=UnfoldAdminIntegerFieldWidget
    )


@admin.register(PromotionPolicy)
class PromotionPolicyAdmin(ServiceAddAdmin):
    add_form = PolicyForm
    add_permission = "experiments.add_promotionpolicy"
    list_display = ("model", "state_label", "author", "created_at")
    list_select_related = ("model", "author")
    list_filter = ("state", "model")
    fields = ("model", "state", "author", "created_at", "content")
    readonly_fields = fields

    def create(self, actor: Actor, cleaned: dict[str, Any]) -> PromotionPolicy:
        return services.submit_policy(actor=actor, document=cleaned["document"])

    @display(description="State", label=POLICY_COLOURS, ordering="state")  # type: ignore[untyped-decorator]
    def state_label(self, row: PromotionPolicy) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @admin.display(description="Rules")
    def content(self, row: PromotionPolicy) -> SafeString:
        return pretty_json(row.document)


@admin.register(AcceptedRisk)
class AcceptedRiskAdmin(ServiceAddAdmin):
    add_form = RiskForm
    add_permission = "experiments.add_acceptedrisk"
    list_display = (
        "version_label", "rule", "state_label", "author", "expires_at", "created_at",
    )  # fmt: skip
    list_select_related = ("version__model", "author")
    list_filter = ("state",)
    fields = (
        "version_label", "rule", "state", "reason", "author", "expires_at",
        "created_at",
    )  # fmt: skip
    readonly_fields = fields

    def create(self, actor: Actor, cleaned: dict[str, Any]) -> AcceptedRisk:
        version: ModelVersion = version_numbered(cleaned["model"], cleaned["number"])
        return services.accept_risk(
            actor=actor,
            version_id=str(version.pk),
            rule=cleaned["rule"],
            reason=cleaned["reason"],
            days=cleaned["days"],
        )

    @admin.display(description="Model version")
    def version_label(self, row: AcceptedRisk) -> str:
        return f"{row.version.model.name}@{row.version.number}"

    @display(description="State", label=RISK_COLOURS, ordering="state")  # type: ignore[untyped-decorator]
    def state_label(self, row: AcceptedRisk) -> tuple[str, str]:
        return row.state, row.get_state_display()
