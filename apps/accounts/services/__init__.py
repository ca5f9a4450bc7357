"""Every write to people, roles, tiers and keys: one function per verb."""

from apps.accounts.services.keys import issue_key, revoke_key, rotate_key
from apps.accounts.services.people import (
    change_own_password,
    create_staff,
    reset_password,
    set_active,
    set_roles,
    sync_roles,
)
from apps.accounts.services.tiers import change_tier, sync_tiers

__all__ = [
    "change_own_password",
    "change_tier",
    "create_staff",
    "issue_key",
    "reset_password",
    "revoke_key",
    "rotate_key",
    "set_active",
    "set_roles",
    "sync_roles",
    "sync_tiers",
]
