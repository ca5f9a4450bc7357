"""Pages beside the policies: what comes of a failing gate, how two versions differ."""

from __future__ import annotations

from functools import cache

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action

from apps.approvals.evidence import readable
from apps.safety.admin.screens import StepAdmin
from apps.safety.assembly import gate_classes
from apps.safety.fail_modes import FailMode, observe
from apps.safety.fail_modes_page import as_table
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


class PolicyPages(StepAdmin):
    """Read-only pages of the policies screen."""

    actions_list = ("fail_modes",)

    # Named as unfold's actions ask for it.
    def has_see_permission(self, request: HttpRequest) -> bool:
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
