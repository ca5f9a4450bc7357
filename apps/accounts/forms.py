"""What people fill in about accounts; the services judge it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from unfold.forms import AdminOwnPasswordChangeForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.accounts.models import Tier, User
from apps.accounts.permissions import actor_for_user
from apps.accounts.reauthentication import Reauthenticated
from apps.accounts.roles import Role
from apps.accounts.scopes import SCOPE_PERMISSIONS
from apps.accounts.services import change_own_password

ROLE_CHOICES = [
    (role.value, role.value.replace("_", " ").capitalize()) for role in Role
]
SCOPE_CHOICES = [(scope, scope) for scope in SCOPE_PERMISSIONS]


class OwnPasswordForm(AdminOwnPasswordChangeForm):  # type: ignore[misc]
    """The admin's own form, saved through the service, which also ends the one-time
    state. A password the service refuses is an error of the form."""

    def clean(self) -> Any:
        cleaned = super().clean()
        chosen, old = cleaned.get("new_password1"), cleaned.get("old_password")
        if chosen and chosen == old:
            raise forms.ValidationError(
                "Choose a password other than the present one.", code="same"
            )
        return cleaned

    def save(self, commit: bool = True) -> User:
        password = self.cleaned_data["new_password1"]
        saved = change_own_password(actor=actor_for_user(self.user), password=password)
        # The view keeps this session alive by the hash of the form's user.
        self.user.password = saved.password
        self.user.must_change_password = False
        return saved


class StaffForm(forms.Form):
    """A new member of staff."""

    username = forms.CharField(max_length=150, widget=UnfoldAdminTextInputWidget)
    email = forms.EmailField(required=False, widget=UnfoldAdminEmailInputWidget)
    roles = forms.MultipleChoiceField(
        choices=ROLE_CHOICES, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )


class RolesForm(Reauthenticated):
    roles = forms.MultipleChoiceField(
        choices=ROLE_CHOICES, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )


class ConfirmForm(forms.Form):
    """Nothing to fill in: the page says what will happen."""


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=200, widget=UnfoldAdminTextareaWidget)


class IssueKeyForm(Reauthenticated):
    """A new API key."""

    name = forms.CharField(
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text="The program that will use it.",
    )
    owner = forms.ModelChoiceField(
        User.objects.filter(is_active=True),
        widget=UnfoldAdminSelectWidget,
        help_text="Who answers for it; the key ends when this person leaves.",
    )
    tier = forms.ModelChoiceField(Tier.objects.all(), widget=UnfoldAdminSelectWidget)
    scopes = forms.MultipleChoiceField(
        choices=SCOPE_CHOICES, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )
    jurisdiction = forms.SlugField(
        max_length=60,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="The name of the policy that decides for it, such as us-il. Empty: "
        "the default policy.",
    )
    expires_in_days = forms.IntegerField(
        min_value=1,
        max_value=730,
        initial=90,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Empty: it does not expire by itself.",
    )


class RotateKeyForm(Reauthenticated):
    overlap_hours = forms.IntegerField(
        min_value=0,
        max_value=720,
        initial=24,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="The old key goes on working for so long.",
    )

    @property
    def overlap(self) -> timedelta:
        return timedelta(hours=self.cleaned_data["overlap_hours"])


class TierForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Tier
        fields = (
            "requests_per_second", "burst", "daily_quota", "monthly_quota",
            "max_text_chars", "allowed_models",
        )  # fmt: skip
