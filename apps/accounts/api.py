"""API keys in HTTP: authentication, scopes, rate limits and their response fields.

A view is closed unless it names a ``required_scope``. There is no session, cookie or
anonymous caller here: ``request.user`` is None and ``request.auth`` the KeyFacts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.contracts import KeyFacts, QuotaState, RateState, TierFacts
from apps.accounts.errors import KeyMalformed, KeyMissing, ScopeMissing
from apps.accounts.keys import authenticate_key
from apps.accounts.limits import check_rate

SCHEME = "bearer"


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer pe_live_...``; raises InvalidKey (401) for anything
    else that claims to be a credential."""

    def authenticate(self, request: Request) -> tuple[None, KeyFacts] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        scheme, _, raw = header.partition(" ")
        if scheme.lower() != SCHEME or not raw.isascii():
            raise KeyMalformed("Send the header as: Authorization: Bearer API_KEY")
        return None, authenticate_key(raw.strip())

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class HasScope(BasePermission):
    """The key holds the view's ``required_scope``; a view without one is closed."""

    def has_permission(self, request: Request, view: Any) -> bool:
        facts = request.auth
        if not isinstance(facts, KeyFacts):
            raise KeyMissing("Send the header: Authorization: Bearer API_KEY")
        scope = getattr(view, "required_scope", "")
        if scope and scope in facts.scopes:
            return True
        raise ScopeMissing(
            f"This key needs the scope {scope}." if scope else "No key may do this."
        )


class RateLimitedView:
    """A mixin, first among a view's bases: counts each request that passed
    authentication and scope, and answers with RateLimit fields."""

    key_facts: KeyFacts | None = None
    rate_state: RateState | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        if isinstance(request.auth, KeyFacts):
            self.key_facts = request.auth
            self.rate_state = check_rate(request.auth)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        if self.key_facts is not None:
            fields = rate_limit_headers(self.key_facts.tier, self.rate_state)
            for name, value in fields.items():
                response[name] = value
        final: Response = super().finalize_response(  # type: ignore[misc]
            request, response, *args, **kwargs
        )
        return final


def rate_limit_headers(
    tier: TierFacts, rate: RateState | None, quotas: Sequence[QuotaState] = ()
) -> dict[str, str]:
    """RateLimit-Policy and RateLimit as structured fields (RFC 9651), after
    draft-ietf-httpapi-ratelimit-headers-11 sections 3 and 4.

    ``q`` requests in ``w`` seconds; ``r`` are left, and the whole of it again after
    ``t`` seconds. Without a rate state only the policy is told.
    """
    window_s = max(1, math.ceil(tier.burst / tier.requests_per_second))
    policies = [f'"burst";q={tier.burst};w={window_s}']
    policies += [
        f'"day";q={tier.daily_quota};w=86400',
        f'"month";q={tier.monthly_quota};w=2592000',
    ]
    states = [f'"{q.period}";r={q.remaining};t={_seconds(q.reset_s)}' for q in quotas]
    if rate is not None:
        states.insert(0, f'"burst";r={rate.remaining};t={_seconds(rate.reset_s)}')
    fields = {"RateLimit-Policy": ", ".join(policies)}
    if states:
        fields["RateLimit"] = ", ".join(states)
    return fields


def _seconds(duration_s: float) -> int:
    return max(0, math.ceil(duration_s))


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document describes the key."""

    target_class = "apps.accounts.api.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": SCHEME,
            "description": "An API key, issued by an operator: `Bearer pe_live_...`.",
        }
