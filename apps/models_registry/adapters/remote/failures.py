"""Why an endpoint gave no answer: codes for operators, never what it said."""

from __future__ import annotations

from apps.models_registry.errors import PredictionFailed


class EndpointFailed(PredictionFailed):
    """No answer of the endpoint can be used; ``reason`` is a code for logs and tests.

    ``retry_after_s`` is how long the endpoint, or its circuit breaker, asks to wait.
    """

    code = "endpoint_failed"
    title = "Model endpoint failed"

    def __init__(self, reason: str, *, retry_after_s: float | None = None):
        extra = {} if retry_after_s is None else {"retry_after_s": retry_after_s}
        super().__init__(f"The model's endpoint failed: {reason}.", extra=extra)
        self.reason = reason
        self.retry_after_s = retry_after_s


class AddressRefused(EndpointFailed):
    """The endpoint's name leads to an address that this platform does not call."""

    code = "endpoint_address_refused"
    title = "Model endpoint refused"
