"""The referral report as a download: a period in, counts out, the export recorded."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action

from apps.accounts.permissions import actor_for_user
from apps.audit.admin import ReadOnlyAdmin
from apps.core.errors import PlatformError
from apps.safety import services
from apps.safety.forms import PeriodForm
from apps.safety.reporting import CONTENT_TYPES, WRITERS


class ReferralPages(ReadOnlyAdmin):
    """Adds the page that asks for a period and answers with a file."""

    # Named as unfold's actions ask for it.
    def has_report_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("safety.report_escalation")

    @action(  # type: ignore[untyped-decorator]
        description="Referral report",
        permissions=["report"],
        url_path="referrals",
    )
    def referrals(self, request: HttpRequest) -> HttpResponse:
        form = PeriodForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                return _file(request, form)
            except PlatformError as error:
                form.add_error(None, error.message)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Referral report without identifiers",
            "save_label": "Download",
            "form": form,
            "list_url": reverse("admin:safety_escalation_changelist"),
        }
        return TemplateResponse(request, "admin/service_add_form.html", context)


def _file(request: HttpRequest, form: PeriodForm) -> HttpResponse:
    asked = form.cleaned_data
    report = services.export_referrals(
        actor=actor_for_user(request.user), first=asked["first"], last=asked["last"]
    )
    kind = asked["format"]
    name = f"referrals-{asked['first']}-{asked['last']}.{kind}"
    return HttpResponse(
        WRITERS[kind](report),
        content_type=CONTENT_TYPES[kind],
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )
