"""Every write to people, roles, tiers and keys: one function per verb."""

from apps.accounts.services.factors import (
    begin_enrolment,
    check_code,
    confirm_enrolment,
    renew_recovery_codes,
    reset_second_factor,
)
from apps.accounts.services.keys import issue_key, revoke_key, rotate_key
from apps.accounts.services.people import (
    change_own_password,
    create_staff,
    link_sso,
    reset_password,
    set_active,
    set_roles,
    sync_roles,
)
from apps.accounts.services.tiers import change_tier, sync_tiers

__all__ = [
    "begin_enrolment",
    "change_own_password",
    "change_tier",
    "check_code",
    "confirm_enrolment",
    "create_staff",
    "issue_key",
    "link_sso",
    "renew_recovery_codes",
    "reset_password",
    "reset_second_factor",
    "revoke_key",
    "rotate_key",
    "set_active",
    "set_roles",
    "sync_roles",
    "sync_tiers",
]
