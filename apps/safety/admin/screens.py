"""What both screens share: read-only rows, and steps that are one service call each.

A step is a POST of its own; the page offers those that the state and the person's
permissions allow, and the service decides again. A refusal is a message, never a crash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from django import forms
from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from apps.accounts.permissions import actor_for_user
from apps.audit.admin import ReadOnlyAdmin
from apps.core.actors import Actor
from apps.core.errors import PlatformError
from apps.safety.selectors import stale_contacts_in_force

BANNER_NAMES = 5


def warn_of_stale_contacts(request: HttpRequest) -> None:
    """A banner on the page while a helpline in force waits to be verified again."""
    stale = stale_contacts_in_force()
    if stale:
        named = ", ".join(f"{one.name} ({one.locale})" for one in stale[:BANNER_NAMES])
        more = f" and {len(stale) - BANNER_NAMES} more" if stale[BANNER_NAMES:] else ""
        messages.warning(
            request,
            f"Helplines to verify again: {named}{more}. People may be sent to a number "
            "that no longer answers; adopt a policy with a new verification date.",
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One verb on a row: its button, the permission it takes, the states it starts in.

    ``form`` asks for what the service needs besides the row.
    """

    label: str
    permission: str
    states: frozenset[str]
    form: type[forms.Form] | None = None


class StepAdmin(ReadOnlyAdmin):
    """A screen on which rows are looked at, and moved by steps only."""

    steps: ClassVar[Mapping[str, Step]] = {}
    change_form_outer_before_template = "admin/safety/steps.html"

    def take_step(
        self, verb: str, actor: Actor, row_id: str, cleaned: Mapping[str, object]
    ) -> str:
        """Call the service of a verb; what came of it, in words."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.step_view))
        name = f"safety_{self.opts.model_name}_step"
        own = path("<uuid:row_id>/step/<slug:verb>/", view, name=name)
        return [own, *super().get_urls()]

    def step_view(
        self, request: HttpRequest, row_id: object, verb: str
    ) -> HttpResponse:
        if verb in self.steps:
            self.step_and_tell(request, verb, str(row_id))
        return HttpResponseRedirect(self.page_of(str(row_id)))

    def step_and_tell(self, request: HttpRequest, verb: str, row_id: str) -> None:
        form_class = self.steps[verb].form
        form = form_class(request.POST) if form_class else None
        if form is not None and not form.is_valid():
            messages.error(request, "Fill in what this step needs.")
            return
        try:
            actor = actor_for_user(request.user)
            cleaned = form.cleaned_data if form else {}
            done = self.take_step(verb, actor, row_id, cleaned)
        except PlatformError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, done)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        context = {**(extra_context or {}), "steps": self._offered(request, row)}
        page: HttpResponse = super().change_view(request, object_id, form_url, context)
        return page

    def _offered(
        self, request: HttpRequest, row: Model | None
    ) -> list[dict[str, object]]:
        if row is None:
            return []
        return [
            {
                "label": step.label,
                "form": step.form() if step.form else None,
                "url": reverse(
                    f"admin:safety_{self.opts.model_name}_step", args=[row.pk, verb]
                ),
            }
            for verb, step in self.steps.items()
            if getattr(row, "state", "") in step.states
            and request.user.has_perm(step.permission)
        ]

    def page_of(self, row_id: str) -> str:
        return reverse(f"admin:safety_{self.opts.model_name}_change", args=[row_id])
