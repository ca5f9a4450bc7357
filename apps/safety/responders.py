"""Who answers crises, and which of them is told on which rung.

``PE_ON_CALL`` names people in order: the first is on call, the second is the next
responder. A rung for which nobody there can be told goes to everyone who answers: a
forgotten rota must not leave a case with nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.db.models import Q

from apps.accounts.models import User

ANSWERS = "acknowledge_escalation"
# Rungs that one person is told on: on call, next responder.
SINGLE_RUNGS = 2


def everyone_who_answers() -> list[User]:
    """Active people who hold the permission to acknowledge, by username."""
    held = Q(groups__permissions__codename=ANSWERS) | Q(
        user_permissions__codename=ANSWERS
    )
    return list(
        User.objects.filter(held, is_active=True).distinct().order_by("username")
    )


def told_on(rung: int, assigned: User | None = None) -> list[User]:
    """The people of a rung, whoever the case is assigned to included."""
    everyone = everyone_who_answers()
    chosen = _of_rung(rung, everyone)
    if assigned is not None and assigned.is_active and assigned not in chosen:
        chosen.append(assigned)
    return chosen


def _of_rung(rung: int, everyone: Sequence[User]) -> list[User]:
    by_name = {user.get_username(): user for user in everyone}
    rota = [by_name[name] for name in settings.PE_ON_CALL if name in by_name]
    if rung < min(SINGLE_RUNGS, len(rota)):
        return [rota[rung]]
    return list(everyone)
