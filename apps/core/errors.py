"""The five families of error that the platform raises on purpose.

Every class fixes its ``code`` (stable, machine-readable) and HTTP status. A message
says what was expected, what was found and what to do; it must never quote a
participant.
"""

from __future__ import annotations

from collections.abc import Mapping


class PlatformError(Exception):
    """Base of all intended errors; never raised itself."""

    code = "platform_error"
    status = 500
    title = "Platform error"

    def __init__(self, message: str, *, extra: Mapping[str, object] | None = None):
        super().__init__(message)
        self.message = message
        self.extra: dict[str, object] = dict(extra or {})


class InvalidInput(PlatformError):
    """The caller sent something that cannot be used as it is."""

    code = "invalid_input"
    status = 400
    title = "Invalid input"


class NotPermitted(PlatformError):
    """The actor is known but may not do this."""

    code = "not_permitted"
    status = 403
    title = "Not permitted"


class StateConflict(PlatformError):
    """The request is valid, but not in the present state of its subject."""

    code = "state_conflict"
    status = 409
    title = "State conflict"


class IntegrityFailure(PlatformError):
    """Bytes, digests or signatures do not match what was recorded."""

    code = "integrity_failure"
    status = 500
    title = "Integrity failure"


class Unavailable(PlatformError):
    """Something needed is down, late or not loaded; trying again may help."""

    code = "unavailable"
    status = 503
    title = "Unavailable"


class NotFound(InvalidInput):
    """No such subject, or none that this actor may know of."""

    code = "not_found"
    status = 404
    title = "Not found"
