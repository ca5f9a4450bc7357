"""What the registry's screens share: read-only rows, steps by POST, forms for services.

A step is one service call. The page offers a step where state and permission allow it;
the service decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from apps.accounts.permissions import actor_for_user
from apps.audit.admin import ReadOnlyAdmin
from apps.core.actors import Actor
from apps.core.errors import PlatformError

SHORT_CELL = 34
Take = Callable[[Actor, str, str], str]


@dataclass(frozen=True, slots=True)
class Step:
    """``take`` gets the actor, the row's id and what was typed; it says what was done.

    ``asks`` is the label of the text that goes with it; ``is_long`` shows a text area
    filled with what ``current`` reads from the row. ``is_main`` is for the button that
    leads on, not for those that take something away.
    """

    verb: str
    label: str
    permission: str
    states: tuple[str, ...]
    take: Take
    asks: str = ""
    current: Callable[[Any], str] | None = None  # Any: a row of the screen's model
    is_main: bool = True

    @property
    def is_long(self) -> bool:
        return self.current is not None


class GovernedAdmin(ReadOnlyAdmin):
    """Nothing is added, changed or deleted here but by the steps of ``steps``."""

    steps: Sequence[Step] = ()
    change_form_outer_before_template = "admin/models_registry/steps.html"

    def state_of(self, row: Any) -> str:  # Any: a row of the screen's model
        return str(getattr(row, "state", ""))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.step_view))
        name = f"{self.opts.app_label}_{self.opts.model_name}_step"
        own = path("<path:row_id>/step/<slug:verb>/", view, name=name)
        return [own, *super().get_urls()]

    def step_view(self, request: HttpRequest, row_id: str, verb: str) -> HttpResponse:
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        for step in self.steps:
            if step.verb == verb:
                self.take_and_tell(request, step, row_id)
        return HttpResponseRedirect(reverse(page, args=[row_id]))

    def take_and_tell(self, request: HttpRequest, step: Step, row_id: str) -> None:
        """Take the step; a refusal is a message, never a crash."""
        try:
            actor = actor_for_user(request.user)
            done = step.take(actor, row_id, request.POST.get("text", ""))
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
        offered = [
            {
                "label": step.label,
                "asks": step.asks,
                "is_long": step.is_long,
                "variant": "primary" if step.is_main else "default",
                "value": step.current(row) if step.current else "",
                "url": reverse(
                    f"admin:{self.opts.app_label}_{self.opts.model_name}_step",
                    args=[object_id, step.verb],
                ),
            }
            for step in self.steps
            if row is not None
            and self.state_of(row) in (step.states or (self.state_of(row),))
            and request.user.has_perm(step.permission)
        ]
        response: HttpResponse = super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "steps": offered}
        )
        return response


class ServiceAddAdmin(GovernedAdmin):
    """The add page is a plain form; what it says goes to one service."""

    add_form: type[forms.Form]
    add_permission = ""

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
        form = self.add_form(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                created = self.create(actor_for_user(request.user), form.cleaned_data)
            except PlatformError as error:
                for problem in _problems(error):
                    form.add_error(None, problem)
            else:
                messages.success(request, f"{self.opts.verbose_name} was added.")
                return HttpResponseRedirect(self._page("change", created.pk))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Add {self.opts.verbose_name}",
            "form": form,
            "list_url": self._page("changelist"),
        }
        template = "admin/service_add_form.html"
        return TemplateResponse(request, template, context)

    def _page(self, kind: str, *args: object) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_{kind}"
        return reverse(name, args=args)


def _problems(error: PlatformError) -> list[str]:
    found = error.extra.get("problems")
    return [str(one) for one in found] if isinstance(found, list) else [error.message]


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> SafeString:
    """A plain table that scrolls inside its page; every cell is escaped."""
    body = format_html_join("", "<tr>{}</tr>", ((_cells(row),) for row in rows))
    head = format_html_join(
        "",
        '<th scope="col" class="py-1 pr-3 text-left">{}</th>',
        ((name,) for name in heads),
    )
    return format_html(
        '<div class="overflow-x-auto"><table class="text-sm"><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>",
        head,
        body,
    )


def _cells(row: Sequence[object]) -> SafeString:
    cell = '<td class="py-1 pr-3 align-top" style="{}">{}</td>'
    return format_html_join("", cell, ((_style(one), _text(one)) for one in row))


def _style(value: object) -> str:
    """Short values stay on one line, long ones break where they must."""
    if len(str(value)) <= SHORT_CELL:
        return "white-space: nowrap"
    return "overflow-wrap: anywhere; min-width: 10rem"


def _text(value: object) -> object:
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else value
