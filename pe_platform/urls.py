"""All URLs. Everything is closed unless it is on the short list of PUBLIC_URLS.

A test walks this tree as an anonymous caller and fails on a URL that answers and is not
listed. A view never opens itself by configuration alone: the list is the decision.
"""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from apps.accounts import sso
from apps.inference.open_protocol.api import ServerView
from pe_platform.health import livez, metrics, readyz, startupz
from pe_platform.protocol_health import LiveView, ReadyView

# What anyone may use, and why.
PUBLIC_URLS: dict[str, str] = {
    "livez": "probes ask whether the process answers",
    "startupz": "probes ask whether it has loaded what it serves with",
    "readyz": "probes ask whether it may be sent requests; names and yes or no",
    "admin/login/": "people sign in here",
    "admin/logout/": "ends a session, where there is one",
    "sso/": "sends people to the identity provider, where one is configured",
    "sso/callback/": "where the identity provider sends them back with a code",
}

urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", livez, name="livez"),
    path("startupz", startupz, name="startupz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path(
        "",
        staff_member_required(RedirectView.as_view(pattern_name="admin:index")),
        name="home",
    ),
    path("admin/", admin.site.urls),
    path("sso/", sso.request_view, name="sso-request"),
    path("sso/callback/", sso.callback_view, name="sso-callback"),
    path("api/v1/", include("apps.inference.urls")),
    path("v1/", include("apps.inference.openai.urls")),
    path("v2", ServerView.as_view(), name="protocol-server"),
    path("v2/health/live", LiveView.as_view(), name="protocol-live"),
    path("v2/health/ready", ReadyView.as_view(), name="protocol-ready"),
    path("v2/", include("apps.inference.open_protocol.urls")),
    path("api/v1/", include("apps.datasets.urls")),
    # The documentation carries a session, so it lives outside the API's prefix.
    path(
        "docs/api/",
        staff_member_required(
            SpectacularSwaggerSplitView.as_view(
                url_name="docs-schema", authentication_classes=[], permission_classes=[]
            )
        ),
        name="docs",
    ),
    path(
        "docs/api/schema.json",
        staff_member_required(
            SpectacularJSONAPIView.as_view(
                authentication_classes=[], permission_classes=[]
            )
        ),
        name="docs-schema",
    ),
]

handler400 = "pe_platform.error_views.bad_request"
handler403 = "pe_platform.error_views.permission_denied"
handler404 = "pe_platform.error_views.not_found"
handler500 = "pe_platform.error_views.server_error"
