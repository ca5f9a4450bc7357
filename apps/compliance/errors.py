"""Errors of the compliance app; a message never names a participant."""

from __future__ import annotations

from apps.core.errors import StateConflict


class RequestState(StateConflict):
    """The request of a data subject is not in a state from which this can be done."""

    code = "subject_request_state"
    title = "Request is in another state"
