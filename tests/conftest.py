"""Fixtures that every app's tests share."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import Group
from django.db.backends.sqlite3.base import DatabaseWrapper

from apps.accounts.models import User
from apps.accounts.permissions import actor_for_user, system_actor
from apps.accounts.roles import Role
from apps.accounts.services import sync_roles
from apps.audit import selectors
from apps.core.actors import Actor

# Of everybody that ``person`` makes.
STAFF_PASSWORD = "a long test passphrase"
DatabaseOperations = DatabaseWrapper.ops_class


@pytest.fixture(scope="session", autouse=True)
def _flush_around_triggers() -> Iterator[None]:
    """Let SQLite's flush between transactional tests empty governed tables.

    Their triggers are right to refuse it everywhere else; PostgreSQL truncates.
    """
    original = DatabaseOperations.sql_flush

    def sql_flush(self, style, tables, **options):
        statements = original(self, style, tables, **options)
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type='trigger'")
            triggers = cursor.fetchall()
        drops = [f"DROP TRIGGER {name}" for name, _ in triggers]
        return [*drops, *statements, *(sql for _, sql in triggers)]

    DatabaseOperations.sql_flush = sql_flush
    yield
    DatabaseOperations.sql_flush = original


@pytest.fixture(autouse=True)
def _own_checkpoints(settings, tmp_path_factory) -> None:
    """A checkpoint outlives the database of its test, and would accuse the next."""
    folder = tmp_path_factory.getbasetemp() / "checkpoints"
    settings.PE_CHECKPOINT_FILE = folder / f"{uuid.uuid4().hex}.jsonl"


@pytest.fixture(autouse=True)
def _fresh_values() -> None:
    """What a process remembers of the log belongs to the database of one test."""
    selectors._values.clear()


@pytest.fixture
def roles(db: None) -> None:
    """The groups and permissions of apps.accounts.roles."""
    sync_roles(actor=system_actor("bootstrap"))


@pytest.fixture
def person(roles: None) -> Callable[..., User]:
    """Make a member of staff: ``person("ana", Role.REVIEWER)``."""

    def make(name: str, *held: Role, **fields: object) -> User:
        user = User.objects.create_user(
            name, password=STAFF_PASSWORD, is_staff=True, **fields
        )
        user.groups.set(Group.objects.filter(name__in=[role.value for role in held]))
        return user

    return make


@pytest.fixture
def acting(person: Callable[..., User]) -> Callable[..., Actor]:
    """As ``person``, as the actor that services take."""

    def make(name: str, *held: Role, **fields: object) -> Actor:
        return actor_for_user(person(name, *held, **fields))

    return make
