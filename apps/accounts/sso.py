"""Single sign-on: staff who exist here, signed in by an OpenID Connect provider.

The provider says who somebody is, never what they may do: people and their roles are
made here, by a second person. Its account is found by ``issuer|sub``; the first time,
by a verified e-mail address that exactly one active person has here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import httpx
import jwt
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import SuspiciousOperation
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.utils import import_from_settings
from mozilla_django_oidc.views import (
    OIDCAuthenticationCallbackView,
    OIDCAuthenticationRequestView,
)
from requests.exceptions import RequestException

from apps.accounts.models import User
from apps.accounts.permissions import actor_for_user
from apps.accounts.second_factor import BY_PROVIDER, MARK
from apps.accounts.services import link_sso
from apps.core.errors import PlatformError, Unavailable

# Our settings' names for what a discovery document calls otherwise.
DISCOVERED = {
    "OIDC_OP_AUTHORIZATION_ENDPOINT": "authorization_endpoint",
    "OIDC_OP_TOKEN_ENDPOINT": "token_endpoint",
    "OIDC_OP_USER_ENDPOINT": "userinfo_endpoint",
    "OIDC_OP_JWKS_ENDPOINT": "jwks_uri",
}


@lru_cache(maxsize=4)
def _discovery(issuer: str) -> dict[str, Any]:
    """The provider's own description; Unavailable when it cannot be read."""
    url = f"{issuer}/.well-known/openid-configuration"
    try:
        found = httpx.get(url, timeout=settings.OIDC_TIMEOUT).raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable("The identity provider does not answer.") from error
    if str(found.get("issuer", "")).rstrip("/") != issuer:
        raise Unavailable("The identity provider calls itself by another name.")
    return dict(found)


# Any: settings of every type.
def _setting(name: str, *default: Any) -> Any:
    if name in DISCOVERED:
        return _discovery(settings.PE_OIDC_ISSUER)[DISCOVERED[name]]
    return import_from_settings(name, *default)


class StaffSsoBackend(OIDCAuthenticationBackend):  # type: ignore[misc]
    """The library's code flow, with issuer, audience and subject checked too."""

    get_settings = staticmethod(_setting)

    def __init__(self) -> None:
        # Discovery waits until a provider is really asked: this backend is made for
        # every password sign-in as well.
        self.UserModel = User

    def authenticate(
        self,
        request: HttpRequest | None,
        nonce: str | None = None,
        code_verifier: str | None = None,
    ) -> User | None:
        if request is None or nonce is None:
            return None
        super().__init__()
        found: User | None = super().authenticate(
            request, nonce=nonce, code_verifier=code_verifier
        )
        return found

    # Any: a token's claims.
    def verify_token(self, token: str, **kwargs: Any) -> dict[str, Any]:
        payload: dict[str, Any] = super().verify_token(token, **kwargs)
        audience = payload.get("aud")
        listed = audience if isinstance(audience, list) else [audience]
        if settings.OIDC_RP_CLIENT_ID not in listed:
            raise SuspiciousOperation("The token was made for another program.")
        if str(payload.get("iss", "")).rstrip("/") != settings.PE_OIDC_ISSUER:
            raise SuspiciousOperation("The token comes from another issuer.")
        return payload

    def retrieve_matching_jwk(self, token: str) -> jwt.PyJWK:
        """The key that a token names; a provider with one key need not name it."""
        answer = httpx.get(self.OIDC_OP_JWKS_ENDPOINT, timeout=settings.OIDC_TIMEOUT)
        keys = jwt.PyJWKSet.from_dict(answer.raise_for_status().json()).keys
        wanted = jwt.get_unverified_header(token).get("kid")
        found = [key for key in keys if wanted in (None, key.key_id)]
        if len(found) != 1:
            raise SuspiciousOperation("The token names no key of the provider.")
        return found[0]

    def get_or_create_user(
        self, access_token: str, id_token: str, payload: dict[str, Any]
    ) -> User | None:
        info = self.get_userinfo(access_token, id_token, payload)
        subject = str(payload.get("sub", ""))
        if not subject or info.get("sub") != subject:
            raise SuspiciousOperation("Token and user info name different people.")
        user = self._find(f"{settings.PE_OIDC_ISSUER}|{subject}", info)
        if user is not None:
            amr = payload.get("amr") or []
            self.request.session["sso_amr"] = [str(value) for value in amr]
        return user

    def _find(self, subject: str, info: dict[str, Any]) -> User | None:
        people: QuerySet[User] = User.objects.filter(is_active=True, is_staff=True)
        known = people.filter(sso_subject=subject).first()
        if known is not None:
            return known
        email = info.get("email")
        if not email or info.get("email_verified") is not True:
            return None
        named = people.filter(email__iexact=email, sso_subject=None)
        if len(named) != 1:
            return None
        return link_sso(actor=actor_for_user(named[0]), subject=subject)


class _RequestView(OIDCAuthenticationRequestView):  # type: ignore[misc]
    get_settings = staticmethod(_setting)


class _CallbackView(OIDCAuthenticationCallbackView):  # type: ignore[misc]
    get_settings = staticmethod(_setting)

    def login_success(self) -> HttpResponseBase:
        """Open the session; a second factor shown to the provider counts here."""
        amr = set(self.request.session.pop("sso_amr", []))
        response: HttpResponseBase = super().login_success()
        if amr & set(settings.PE_OIDC_MFA_AMR):
            self.request.session[MARK] = BY_PROVIDER
        return response

    def login_failure(self) -> HttpResponseBase:
        return _failed(self.request)


def request_view(request: HttpRequest) -> HttpResponseBase:
    """Send a person to the provider."""
    return _guarded(_RequestView, request)


def callback_view(request: HttpRequest) -> HttpResponseBase:
    """Where the provider sends them back with a code."""
    return _guarded(_CallbackView, request)


# Any: the library's untyped view classes, which read settings as they are made.
def _guarded(view: Any, request: HttpRequest) -> HttpResponseBase:
    if not settings.PE_OIDC_ISSUER:
        raise Http404
    try:
        answered: HttpResponseBase = view.as_view()(request)
    except (PlatformError, RequestException, httpx.HTTPError, jwt.PyJWTError):
        return _failed(request)
    return answered


def _failed(request: HttpRequest) -> HttpResponseRedirect:
    messages.error(
        request,
        "Single sign-on did not work. Your account here has to exist, be active and "
        "carry your verified e-mail address; a compliance officer can look.",
    )
    return HttpResponseRedirect(str(settings.LOGIN_URL))
