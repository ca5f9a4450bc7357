"""Errors that the safety app raises on purpose."""

from __future__ import annotations

from apps.core.errors import InvalidInput, StateConflict, Unavailable


class PolicyInvalid(InvalidInput):
    """A policy document that cannot be used: wrong shape, gates, order or numbers."""

    code = "policy_invalid"
    title = "Safety policy invalid"


class PolicyMissing(Unavailable):
    """No safety policy of this name is in force; nothing may be answered."""

    code = "policy_missing"
    title = "No safety policy in force"


class GatesUnavailable(Unavailable):
    """The six gates cannot be assembled; nothing may be answered."""

    code = "gates_unavailable"
    title = "Safety gates unavailable"


class PolicyState(StateConflict):
    """The policy has left the state in which it may be changed this way."""

    code = "policy_state"
    title = "Safety policy state"


class EscalationState(StateConflict):
    """The escalation is not in the state that this step starts from."""

    code = "escalation_state"
    title = "Escalation state"
