"""Who signs in, how, and for how long."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy

from pe_platform.settings import env

_IS_PRODUCTION = env.text("PE_ENVIRONMENT", "production") == "production"

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AUTH_PASSWORD_VALIDATORS[1]["OPTIONS"] = {"min_length": 14}  # type: ignore[assignment]
ANONYMOUS_USER_NAME = None
GUARDIAN_RAISE_403 = True
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

# -- second factor ---------------------------------------------------------------------
# "optional" is for a machine of one's own: whoever has enrolled is still asked.
PE_STAFF_MFA = env.choice(
    "PE_STAFF_MFA",
    "required" if _IS_PRODUCTION else "optional",
    ("required", "optional"),
)
if _IS_PRODUCTION and PE_STAFF_MFA != "required":
    raise ImproperlyConfigured(
        "PE_STAFF_MFA=optional is for PE_ENVIRONMENT=local only: in production staff "
        "sign in with a second factor. Leave it unset."
    )

# -- session limits --------------------------------------------------------------------
# Without a page opened for so long, or signed in for so long, a session ends (seconds).
PE_SESSION_IDLE_S = 60 * env.integer(
    "PE_SESSION_IDLE_MINUTES", 30, minimum=5, maximum=480
)
PE_SESSION_MAX_S = 3600 * env.integer("PE_SESSION_MAX_HOURS", 8, minimum=1, maximum=24)
SESSION_COOKIE_AGE = PE_SESSION_MAX_S

# -- single sign-on --------------------------------------------------------------------
# An OpenID Connect provider; its discovery document is read when somebody signs in.
PE_OIDC_ISSUER = env.text("PE_OIDC_ISSUER").rstrip("/")
OIDC_RP_CLIENT_ID = env.text("PE_OIDC_CLIENT_ID")
OIDC_RP_CLIENT_SECRET = env.text("PE_OIDC_CLIENT_SECRET")
OIDC_RP_SIGN_ALGO = env.choice(
    "PE_OIDC_SIGN_ALGORITHM", "RS256", ("RS256", "ES256", "PS256")
)
# Values of the `amr` claim that count as a second factor; without one a code is asked.
PE_OIDC_MFA_AMR = tuple(env.words("PE_OIDC_MFA_AMR") or ("mfa",))
OIDC_RP_SCOPES = "openid email"
OIDC_USE_PKCE = True
OIDC_CREATE_USER = False
OIDC_TIMEOUT = 10
OIDC_AUTHENTICATION_CALLBACK_URL = "sso-callback"
LOGIN_REDIRECT_URL_FAILURE = reverse_lazy("admin:login")
if PE_OIDC_ISSUER:
    AUTHENTICATION_BACKENDS.insert(1, "apps.accounts.sso.StaffSsoBackend")
    if not (OIDC_RP_CLIENT_ID and OIDC_RP_CLIENT_SECRET):
        raise ImproperlyConfigured(
            "PE_OIDC_ISSUER is set: PE_OIDC_CLIENT_ID and PE_OIDC_CLIENT_SECRET are "
            "needed too."
        )
