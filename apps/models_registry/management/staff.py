"""Who a command acts for: a named member of staff, never nobody."""

from __future__ import annotations

from apps.accounts.models import User
from apps.accounts.permissions import actor_for_user
from apps.core.actors import Actor
from apps.core.errors import NotFound


def staff_actor(username: str) -> Actor:
    """NotFound without such a person; NotPermitted when they are not active."""
    user = User.objects.filter(username=username).first()
    if user is None:
        raise NotFound(f"There is no member of staff named {username}.")
    return actor_for_user(user)
