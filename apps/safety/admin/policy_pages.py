"""Pages beside the policies: what comes of a failing gate, how two versions differ."""

from __future__ import annotations

from functools import cache

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.decorators import action

from apps.approvals.evidence import readable
from apps.safety.admin.screens import StepAdmin
from apps.safety.assembly import gate_classes
from apps.safety.differences import changes_between
from apps.safety.fail_modes import FailMode, observe
from apps.safety.fail_modes_page import as_table
from apps.safety.forms import VersionForm
from apps.safety.policy import default_policy

_FAIL_MODES_SAY = (
    "What comes of each way in which a gate can fail, as observed on this code. The "
    "strictest of all gates is the answer; nothing here can be changed."
)


@cache
def fail_mode_rows() -> list[dict[str, object]]:
    """Gate, stage and one decision for each failure; observed once in a process."""
    outcomes = observe(gate_classes().values(), default_policy())
    return [
        {
            "gate": gate,
            "stage": stage.value,
            **{
                mode.label: decision.name
                for mode, decision in zip(FailMode, decisions, strict=True)
            },
        }
        for gate, stage, decisions in as_table(outcomes)
    ]


# object: JSON documents.
def differing(before: object, after: object, names: tuple[str, str]) -> SafeString:
    """What differs between two documents, place by place, as a table."""
    found = [
        {"place": one.place, names[0]: one.before, names[1]: one.after}
        for one in changes_between(before, after)
    ]
    return readable(found or "Nothing differs.")


class PolicyPages(StepAdmin):
    """Read-only pages of the policies screen."""

    actions_list = ("fail_modes",)
    actions_detail = ("compare",)

    # Named as unfold's actions ask for it.
    def has_see_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        return request.user.has_perm("safety.view_safetypolicy")

    @action(  # type: ignore[untyped-decorator]
        description="Fail modes", permissions=["see"], url_path="fail-modes"
    )
    def fail_modes(self, request: HttpRequest) -> HttpResponse:
        """Gate by failure by outcome."""
        return self.show(
            request,
            title="Fail modes of the gates",
            says=_FAIL_MODES_SAY,
            content=readable(fail_mode_rows()),
        )

    @action(  # type: ignore[untyped-decorator]
        description="Compare", permissions=["see"], url_path="compare"
    )
    def compare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """This version against another of the same name, chosen on the page."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        form = VersionForm(row, request.GET if "other" in request.GET else None)
        content: SafeString | str = ""
        if form.is_valid():
            other = form.cleaned_data["other"]
            names = (f"v{other.version}", f"v{row.version}")
            content = differing(other.document, row.document, names)
        return self.show(
            request,
            title=f"Compare {row.name} v{row.version}",
            form=form,
            button="Compare",
            content=content,
            back_url=self.page_of(str(row.pk)),
        )

    def show(self, request: HttpRequest, **shown: object) -> HttpResponse:
        """A page under the policies' list; 403 for who may not see policies."""
        if not self.has_see_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "back_url": reverse("admin:safety_safetypolicy_changelist"),
            **shown,
        }
        return TemplateResponse(request, "admin/safety/shown.html", context)
