"""Every write to people, roles, tiers and keys: one function per verb."""

from apps.accounts.services.keys import issue_key, revoke_key, rotate_key
from apps.accounts.services.people import sync_roles
from apps.accounts.services.tiers import change_tier, sync_tiers

__all__ = [
    "change_tier",
    "issue_key",
    "revoke_key",
    "rotate_key",
    "sync_roles",
    "sync_tiers",
]
