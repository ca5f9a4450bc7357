"""The four people, and the one-time passwords shown when the demo has succeeded."""

from __future__ import annotations

from apps.accounts.models import User
from apps.accounts.permissions import actor_for_user, system_actor
from apps.accounts.services import create_staff, reset_password
from apps.core.actors import Actor
from pe_platform.demo.cast import PEOPLE, Person


def ensure_people() -> bool:
    """Create who is missing; True when somebody was."""
    known = set(User.objects.values_list("username", flat=True))
    missing = [person for person in PEOPLE if person.username not in known]
    for person in missing:
        create_staff(
            actor=system_actor("bootstrap"),
            username=person.username,
            roles=person.roles,
        )
    return bool(missing)


def acting(person: Person) -> Actor:
    """The person as the actor that services take."""
    return actor_for_user(User.objects.get(username=person.username))


def fresh_passwords() -> dict[str, str]:
    """A new one-time password for everyone who has never signed in.

    Called once the demo has shown its result, so that a run that was killed before
    leaves nobody with a password that was never printed.
    """
    actor = system_actor("bootstrap")
    unused = {
        user.username: user
        for user in User.objects.filter(last_login=None, must_change_password=True)
    }
    return {
        person.username: reset_password(actor=actor, user=unused[person.username])
        for person in PEOPLE
        if person.username in unused
    }
