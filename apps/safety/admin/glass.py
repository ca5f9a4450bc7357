"""Breaking the glass: what the person said, after a reason that stays in the log."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.debug import sensitive_variables
from unfold.decorators import action

from apps.accounts.permissions import actor_for_user
from apps.audit.admin import ReadOnlyAdmin
from apps.core.errors import PlatformError
from apps.safety import services
from apps.safety.forms import ReasonForm

WORDS = "admin/safety/words.html"


class GlassPages(ReadOnlyAdmin):
    """Adds the page on which one case's sealed text is read; nothing lists texts."""

    # Named as unfold's actions ask for it.
    def has_break_glass_permission(
        self, request: HttpRequest, object_id: str | None = None
    ) -> bool:
        return request.user.has_perm("safety.read_escalationtext")

    @action(  # type: ignore[untyped-decorator]
        description="Read what was said",
        permissions=["break_glass"],
        url_path="break-glass",
    )
    @sensitive_variables("words")
    def break_glass(self, request: HttpRequest, object_id: str) -> HttpResponse:
        form = ReasonForm(request, request.POST or None)
        words: str | None = None
        if request.method == "POST" and form.is_valid():
            try:
                words = services.read_escalation_text(
                    actor=actor_for_user(request.user),
                    escalation_id=object_id,
                    reason=form.cleaned_data["reason"],
                )
            except PlatformError as error:
                form.add_error(None, error.message)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Read what was said",
            "save_label": "Record the reason and read",
            "form": form,
            # What no page can carry, such as half a surrogate pair, becomes "?".
            "words": words and words.encode("utf-8", "replace").decode(),
            "list_url": f"../{object_id}/change/",
        }
        template = "admin/service_add_form.html" if words is None else WORDS
        response = TemplateResponse(request, template, context)
        response["Cache-Control"] = "no-store"
        return response
