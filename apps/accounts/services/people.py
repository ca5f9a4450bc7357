"""Writing people and roles.

A one-time password is returned once and stored as its hash only. Nobody may change
their own roles, whatever they hold: that takes a second person.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from django.contrib.auth.models import Group, Permission
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.accounts.keys import announce_key_change
from apps.accounts.models import User
from apps.accounts.permissions import acting_user, require
from apps.accounts.roles import ROLE_PERMISSIONS, Role
from apps.audit.services import record_event
from apps.core.actors import Actor, ActorKind, Subject
from apps.core.errors import InvalidInput, NotPermitted, StateConflict

# No letters or digits that look alike on paper.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


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
    changed: dict[str, int] = {}
    for role, wanted in ROLE_PERMISSIONS.items():
        rows = [known[name] for name in wanted if name in known]
        if _set_group(role, rows):
            changed[role.value] = len(rows)
    if changed:
        record_event(
            actor=actor,
            event="accounts.roles_synced",
            subject=Subject("accounts.role", "*"),
            details=changed,
        )
    return {
        role.value: sorted(wanted - known.keys())
        for role, wanted in ROLE_PERMISSIONS.items()
        if wanted - known.keys()
    }


def _set_group(role: Role, rows: list[Permission]) -> bool:
    group, _ = Group.objects.get_or_create(name=role.value)
    if set(group.permissions.values_list("pk", flat=True)) == {row.pk for row in rows}:
        return False
    group.permissions.set(rows)
    return True


@transaction.atomic
def create_staff(
    *, actor: Actor, username: str, roles: Iterable[Role | str], email: str = ""
) -> tuple[User, str]:
    """A member of staff and the one-time password to hand over, shown once.

    Raises StateConflict when the name is taken, InvalidInput for an unusable name or a
    role that code does not know.
    """
    require(actor, "accounts.add_user")
    groups = _groups(roles)
    password = one_time_password()
    user = User(
        username=username, email=email, is_staff=True, must_change_password=True
    )
    user.set_password(password)
    _clean(user)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        raise StateConflict(
            f"There is a {username} already: choose another name."
        ) from error
    user.groups.set(groups)
    _record(actor, "accounts.staff_created", user, {"roles": _names(groups)})
    return user, password


@transaction.atomic
def set_roles(*, actor: Actor, user: User, roles: Iterable[Role | str]) -> User:
    """Give a person exactly these roles; NotPermitted for one's own."""
    require(actor, "accounts.change_user")
    _refuse_oneself(actor, user)
    groups = _groups(roles)
    before = sorted(user.groups.values_list("name", flat=True))
    user.groups.set(groups)
    details: dict[str, object] = {"before": before, "after": _names(groups)}
    _record(actor, "accounts.roles_changed", user, details)
    return user


@transaction.atomic
def set_active(*, actor: Actor, user: User, active: bool) -> User:
    """Let a person in, or shut them and their API keys out at their next request."""
    require(actor, "accounts.change_user")
    _refuse_oneself(actor, user)
    if User.objects.filter(pk=user.pk, is_active=not active).update(is_active=active):
        event = "staff_activated" if active else "staff_deactivated"
        _record(actor, f"accounts.{event}", user)
        transaction.on_commit(announce_key_change)
    user.is_active = active
    return user


@transaction.atomic
def reset_password(*, actor: Actor, user: User) -> str:
    """A new one-time password for somebody else, shown once; sessions end."""
    require(actor, "accounts.change_user")
    _refuse_oneself(actor, user)
    password = one_time_password()
    _write_password(user, password, must_change=True)
    _record(actor, "accounts.password_reset", user)
    return password


@transaction.atomic
def change_own_password(*, actor: Actor, password: str) -> User:
    """Replace the password of the person who acts; they keep it from now on.

    InvalidInput when it is the present one or too weak.
    """
    user = acting_user(actor)
    if user.check_password(password):
        raise InvalidInput("Choose a password other than the present one.")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages)) from error
    _write_password(user, password, must_change=False)
    _record(actor, "accounts.password_changed", user)
    return user


@transaction.atomic
def link_sso(*, actor: Actor, subject: str) -> User:
    """Remember which account of the identity provider is this person's.

    ``subject`` is ``issuer|sub``. Raises StateConflict when the person is linked to
    another one, or the account to another person.
    """
    user = acting_user(actor)
    if user.sso_subject == subject:
        return user
    free = User.objects.filter(pk=user.pk, sso_subject=None)
    try:
        with transaction.atomic():
            linked = free.update(sso_subject=subject)
    except IntegrityError as error:
        raise StateConflict("This sign-in belongs to somebody else.") from error
    if not linked:
        raise StateConflict("This person signs in with another account.")
    _record(actor, "accounts.sso_linked", user)
    user.sso_subject = subject
    return user


def one_time_password() -> str:
    """Four groups of five out of 31 characters: 99 random bits."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(4))
    return "-".join(groups)


def _write_password(user: User, password: str, *, must_change: bool) -> None:
    user.set_password(password)
    user.must_change_password = must_change
    user.save(update_fields=["password", "must_change_password"])


def _groups(roles: Iterable[Role | str]) -> list[Group]:
    wanted = {str(role) for role in roles}
    unknown = wanted - {role.value for role in Role}
    if unknown or not wanted:
        known = ", ".join(role.value for role in Role)
        found = ", ".join(sorted(unknown)) or "none"
        raise InvalidInput(f"Staff hold one or more of: {known}. Found: {found}.")
    groups = list(Group.objects.filter(name__in=wanted).order_by("name"))
    if len(groups) != len(wanted):
        raise StateConflict("Some roles are not in the database: run sync_roles.")
    return groups


def _names(groups: list[Group]) -> list[str]:
    return [group.name for group in groups]


def _clean(user: User) -> None:
    try:
        user.clean_fields()
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages)) from error


def _refuse_oneself(actor: Actor, user: User) -> None:
    if actor.kind is ActorKind.STAFF and actor.id == str(user.pk):
        raise NotPermitted("Somebody else has to change your account.")


def _record(
    actor: Actor, event: str, user: User, details: dict[str, object] | None = None
) -> None:
    record_event(
        actor=actor,
        event=event,
        subject=Subject("accounts.user", str(user.pk)),
        details={"username": user.username, **(details or {})},
    )
