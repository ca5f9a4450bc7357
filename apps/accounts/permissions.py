"""From people, keys and system parts to actors, and from actors to yes or no.

``require`` is the only permission check that services use. There is no actor for which
it does nothing: a superuser holds permissions like anyone else, and four-eyes rules are
checked elsewhere and bind superusers too.
"""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model

from apps.accounts.contracts import KeyFacts
from apps.accounts.models import ApiKey, User
from apps.accounts.roles import SYSTEM_PERMISSIONS
from apps.accounts.scopes import permissions_of
from apps.core.actors import Actor, ActorKind
from apps.core.errors import NotPermitted


def actor_for_user(user: User | AnonymousUser) -> Actor:
    """A staff actor with the permissions and roles the person holds now."""
    if not isinstance(user, User) or not user.is_active:
        raise NotPermitted("Only an active member of staff can act here.")
    return Actor(
        kind=ActorKind.STAFF,
        id=str(user.pk),
        label=user.get_username(),
        roles=frozenset(user.groups.values_list("name", flat=True)),
        permissions=frozenset(user.get_all_permissions()),
    )


def system_actor(name: str) -> Actor:
    """A named part of the platform, with the permissions written down for it."""
    return Actor(
        kind=ActorKind.SYSTEM,
        id=name,
        label=f"system:{name}",
        permissions=SYSTEM_PERMISSIONS[name],
    )


def actor_for_key(facts: KeyFacts) -> Actor:
    """A program, with what its scopes allow. ``id`` is the key's own."""
    return Actor(
        kind=ActorKind.API_KEY,
        id=str(facts.id),
        label=f"key:{facts.prefix}",
        permissions=permissions_of(facts.scopes),
    )


def actor_from_header(header: dict[str, str]) -> Actor:
    """The actor a Celery task was sent on behalf of, with today's permissions."""
    kind = ActorKind(header["kind"])
    if kind is ActorKind.SYSTEM:
        return system_actor(header["id"])
    if kind is ActorKind.STAFF:
        try:
            return actor_for_user(User.objects.get(pk=header["id"]))
        except User.DoesNotExist as error:
            raise NotPermitted("The person who asked for this is gone.") from error
    return _actor_of_stored_key(header["id"])


def _actor_of_stored_key(key_id: str) -> Actor:
    key = ApiKey.objects.filter(pk=key_id, revoked_at__isnull=True).first()
    if key is None:
        raise NotPermitted("The API key that asked for this is gone or revoked.")
    return Actor(
        kind=ActorKind.API_KEY,
        id=str(key.pk),
        label=f"key:{key.prefix}",
        permissions=permissions_of(key.scopes),
    )


def has_permission(actor: Actor, permission: str, subject: Model | None = None) -> bool:
    """Whether the actor holds a permission, for everything or for this subject."""
    if permission in actor.permissions:
        return True
    if subject is None or actor.kind is not ActorKind.STAFF:
        return False
    user = User.objects.filter(pk=actor.id, is_active=True).first()
    return bool(user and user.has_perm(permission, subject))


def require(actor: Actor, permission: str, subject: Model | None = None) -> None:
    """Raise NotPermitted unless the actor holds the permission."""
    if not has_permission(actor, permission, subject):
        raise NotPermitted(
            f"{actor.label} needs the permission {permission} for this.",
            extra={"permission": permission},
        )


def acting_user(actor: Actor) -> User:
    """The person behind a staff actor; NotPermitted for keys and system parts."""
    if actor.kind is not ActorKind.STAFF:
        raise NotPermitted("A person has to do this; a program cannot.")
    try:
        return User.objects.get(pk=actor.id, is_active=True)
    except User.DoesNotExist as error:
        raise NotPermitted("This person is no longer active.") from error
