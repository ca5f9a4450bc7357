"""Safety policies: draft a version, submit it, see what is in force; edit nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import display

from apps.accounts.permissions import actor_for_user
from apps.accounts.screens import pretty_json
from apps.core.actors import Actor
from apps.core.errors import PlatformError
from apps.safety import services
from apps.safety.admin.policy_pages import PolicyPages, differing
from apps.safety.admin.screens import Step, warn_of_stale_contacts
from apps.safety.forms import PolicyForm, SubmitForm
from apps.safety.models import SafetyPolicy
from apps.safety.selectors import document_in_force

State = SafetyPolicy.State
STATE_COLOURS = {
    State.DRAFT: "info",
    State.SUBMITTED: "warning",
    State.APPROVED: "success",
    State.RETIRED: "default",
}
_SUBMIT = "safety.submit_safetypolicy"


@admin.register(SafetyPolicy)
class SafetyPolicyAdmin(PolicyPages):
    steps: ClassVar[Mapping[str, Step]] = {
        "submit": Step(
            "Submit for approval", _SUBMIT, frozenset({State.DRAFT}), SubmitForm
        ),
        "retire": Step("Retire", _SUBMIT, frozenset({State.DRAFT, State.APPROVED})),
        "revert": Step(
            "Draft this version again",
            "safety.add_safetypolicy",
            frozenset({State.APPROVED, State.RETIRED}),
        ),
    }
    list_display = (
        "name", "version", "state_label", "in_force", "author", "approved_at",
        "starts_at",
    )  # fmt: skip
    list_display_links = ("name", "version")
    list_select_related = ("author",)
    list_filter = ("state", "name")
    search_fields = ("name", "digest")
    actions = None
    fields = (
        "name", "version", "state", "author", "created_at", "approved_at", "starts_at",
        "retired_by", "retired_at", "digest", "changes", "content",
    )  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[SafetyPolicy]:
        started = SafetyPolicy.objects.filter(
            name=OuterRef("name"), state=State.APPROVED, starts_at__lte=timezone.now()
        ).order_by("-starts_at", "-version")
        rows: QuerySet[SafetyPolicy] = super().get_queryset(request)
        return rows.annotate(current_id=Subquery(started.values("pk")[:1]))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        warn_of_stale_contacts(request)
        page: HttpResponse = super().changelist_view(request, extra_context)
        return page

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("safety.add_safetypolicy")

    def take_step(
        self, verb: str, actor: Actor, row_id: str, cleaned: Mapping[str, object]
    ) -> str:
        if verb == "submit":
            services.submit_policy(
                actor=actor, policy_id=row_id, reason=str(cleaned["reason"])
            )
            return "Submitted: a clinician and a compliance officer have to sign."
        if verb == "revert":
            row = services.revert_policy(actor=actor, policy_id=row_id)
            return f"Drafted {row.name} v{row.version}: submit it for approval."
        row = services.retire_policy(actor=actor, policy_id=row_id)
        return f"{row.name} v{row.version} is retired."

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = PolicyForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                row = services.draft_policy(
                    actor=actor_for_user(request.user), **form.cleaned_data
                )
            except PlatformError as error:
                form.add_error(None, error.message)
            else:
                messages.success(request, f"Drafted {row.name} v{row.version}.")
                return HttpResponseRedirect(self.page_of(str(row.pk)))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Draft a safety policy",
            "save_label": "Save draft",
            "form": form,
            "list_url": reverse("admin:safety_safetypolicy_changelist"),
        }
        return TemplateResponse(request, "admin/service_add_form.html", context)

    @display(description="State", label=STATE_COLOURS, ordering="state")  # type: ignore[untyped-decorator]
    def state_label(self, row: SafetyPolicy) -> tuple[str, str]:
        return row.state, row.get_state_display()

    # current_id: annotated in get_queryset.
    @admin.display(description="In force", boolean=True)
    def in_force(self, row: SafetyPolicy) -> bool:
        return bool(row.pk == getattr(row, "current_id", None))

    @admin.display(description="Against the version in force")
    def changes(self, row: SafetyPolicy) -> SafeString | str:
        if self.in_force(row):
            return "This version is in force."
        present = document_in_force(row.name)
        if present is None:
            return "No version of this policy is in force."
        return differing(present, row.document, ("in_force", "this_version"))

    @admin.display(description="Document")
    def content(self, row: SafetyPolicy) -> SafeString:
        return pretty_json(row.document)
