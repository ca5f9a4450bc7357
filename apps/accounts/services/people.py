"""Writing people and roles. Keys have services of their own beside their models."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from apps.accounts.permissions import require
from apps.accounts.roles import ROLE_PERMISSIONS
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject


@transaction.atomic
def sync_roles(*, actor: Actor) -> dict[str, list[str]]:
    """Make groups and their permissions agree with roles.py; safe to run twice.

    Returns, by role, the permissions that were named but exist nowhere: a role that
    names a permission no model declares is a mistake to be seen, not ignored.
    """
    require(actor, "accounts.sync_roles")
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    missing: dict[str, list[str]] = {}
    changed: dict[str, int] = {}
    for role, wanted in ROLE_PERMISSIONS.items():
        group, _ = Group.objects.get_or_create(name=role.value)
        rows = [known[name] for name in wanted if name in known]
        held = set(group.permissions.values_list("pk", flat=True))
        if held != {row.pk for row in rows}:
            group.permissions.set(rows)
            changed[role.value] = len(rows)
        absent = sorted(wanted - known.keys())
        if absent:
            missing[role.value] = absent
    if changed:
        record_event(
            actor=actor,
            event="accounts.roles_synced",
            subject=Subject("accounts.role", "*"),
            details=changed,
        )
    return missing
