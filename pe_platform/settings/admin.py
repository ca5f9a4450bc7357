"""How the admin looks and what its sidebar lists, grouped by what people do."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

# In the page itself, so that no request for it is refused.
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E"
    "%3Cpath fill='%23009689' d='M1 1h2v1h2V1h2v1h1v2H7v1H6v1H5v1H3V6H2V5H1V4H0V2h1z'/"
    "%3E%3C/svg%3E"
)


def _icon(request: HttpRequest) -> str:
    return ICON


def _styles(request: HttpRequest) -> str:
    return static("platform/platform.css")


def _scripts(request: HttpRequest) -> str:
    return static("platform/platform.js")


def _is_staff(request: HttpRequest) -> bool:
    return bool(getattr(getattr(request, "user", None), "is_staff", False))


def _may(permission: str) -> Callable[[HttpRequest], bool]:
    # getattr: on the log-in page there is no user with permissions yet.
    def allowed(request: HttpRequest) -> bool:
        user = getattr(request, "user", None)
        return bool(user and user.has_perm(permission))

    return allowed


def _item(title: str, icon: str, app: str, model: str) -> dict[str, object]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_changelist"),
        "permission": _may(f"{app}.view_{model}"),
    }


NAVIGATION: list[dict[str, object]] = [
    {
        "title": "Work",
        "items": [
            {"title": "Home", "icon": "home", "link": reverse_lazy("admin:index")},
            _item("Approvals", "task_alt", "approvals", "approvalrequest"),
            _item("Crisis desk", "emergency", "safety", "escalation"),
        ],
    },
    {
        "title": "Models",
        "separator": True,
        "items": [
            _item("Models", "psychology", "models_registry", "registeredmodel"),
            _item("Versions", "deployed_code", "models_registry", "modelversion"),
            _item("Manifests", "description", "models_registry", "trainingmanifest"),
            _item("Runs", "model_training", "models_registry", "trainingrun"),
            _item("Secrets", "key", "models_registry", "endpointsecret"),
            _item("Sweeps", "tune", "experiments", "sweep"),
            _item("Reports", "monitoring", "models_registry", "evaluationreport"),
            _item("In production", "rocket_launch", "models_registry", "modelalias"),
            _item("Promotion rules", "rule", "experiments", "promotionpolicy"),
            _item("Accepted risks", "gavel", "experiments", "acceptedrisk"),
            _item("Rollouts", "alt_route", "experiments", "rollout"),
        ],
    },
    {
        "title": "Data and policy",
        "separator": True,
        "items": [
            _item("Datasets", "database", "datasets", "dataset"),
            _item("Dataset versions", "layers", "datasets", "datasetversion"),
            _item("Dataset grants", "lock_open", "datasets", "datasetgrant"),
            _item("Safety policies", "policy", "safety", "safetypolicy"),
            _item("Disagreements", "difference", "safety", "judgedisagreement"),
        ],
    },
    {
        "title": "Evidence and access",
        "separator": True,
        "items": [
            _item("Audit log", "receipt_long", "audit", "auditentry"),
            _item("Data subjects", "person_search", "compliance", "subjectrequest"),
            _item("Evidence exports", "folder_zip", "compliance", "evidencebundle"),
            _item("Key rotations", "cached", "compliance", "keyrotation"),
            _item("Requests", "forum", "inference", "inferencerecord"),
            _item("API keys", "key", "accounts", "apikey"),
            _item("Tiers", "speed", "accounts", "tier"),
            _item("People", "group", "accounts", "user"),
            {
                "title": "API reference",
                "icon": "api",
                "link": reverse_lazy("docs"),
                "permission": _is_staff,
            },
        ],
    },
]

UNFOLD: dict[str, object] = {
    "SITE_TITLE": "Pixelated Empathy",
    "SITE_HEADER": "Pixelated Empathy",
    "SITE_SUBHEADER": "Governance of supportive AI",
    "SITE_SYMBOL": "diversity_1",
    # The site is the admin: there is nowhere else to return to.
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _icon}],
    "STYLES": [_styles],
    "SCRIPTS": [_scripts],
    "ACCOUNT": {
        "navigation": [
            {
                "title": "Second factor",
                "link": reverse_lazy("admin:second_factor_renew"),
            }
        ]
    },
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "pe_platform.dashboard.home_context",
    "ENVIRONMENT": "pe_platform.dashboard.environment_label",
    "COLORS": {
        "primary": {
            "50": "oklch(98.4% .014 180.72)",
            "100": "oklch(95.3% .051 180.801)",
            "200": "oklch(91% .096 180.426)",
            "300": "oklch(85.5% .138 181.071)",
            "400": "oklch(77.7% .152 181.912)",
            "500": "oklch(70.4% .14 182.503)",
            # Darker than the palette's own: white on 600 has to reach 4.5 to 1.
            "600": "oklch(51.1% .096 186.391)",
            "700": "oklch(43.7% .078 188.216)",
            "800": "oklch(38.6% .063 188.416)",
            "900": "oklch(33% .055 190)",
            "950": "oklch(27.7% .046 192.524)",
        }
    },
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": NAVIGATION,
    },
}
