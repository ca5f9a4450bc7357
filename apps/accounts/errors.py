"""Errors of the accounts app."""

from __future__ import annotations

from apps.core.errors import NotPermitted, PlatformError, Unavailable


class InvalidKey(NotPermitted):
    """No usable API key. The subclass says why, where that gives nothing away."""

    code = "key_invalid"
    status = 401
    title = "Invalid API key"


class KeyMissing(InvalidKey):
    code = "key_missing"
    title = "No API key"


class KeyMalformed(InvalidKey):
    code = "key_malformed"
    title = "Malformed API key"


class KeyUnknown(InvalidKey):
    """No such key, or a wrong secret: the two are not told apart."""

    code = "key_unknown"
    title = "Unknown API key"


class KeyExpired(InvalidKey):
    code = "key_expired"
    title = "API key expired"


class KeyRevoked(InvalidKey):
    code = "key_revoked"
    title = "API key revoked"


class ScopeMissing(NotPermitted):
    code = "scope_missing"
    title = "Scope missing"


class TooMany(PlatformError):
    """Base of the two limits; ``retry_after_s`` stands in ``extra``."""

    status = 429

    def __init__(self, message: str, *, retry_after_s: float):
        super().__init__(message, extra={"retry_after_s": retry_after_s})


class RateLimited(TooMany):
    code = "rate_limited"
    title = "Too many requests"


class QuotaExceeded(TooMany):
    code = "quota_exceeded"
    title = "Quota exceeded"


class LimiterUnavailable(Unavailable):
    """Rates cannot be counted, so nothing is let through."""

    code = "limiter_unavailable"
    title = "Rate limiter unavailable"
