"""Recording by a made-up actor, and tampering as someone with the database would."""

from __future__ import annotations

from contextlib import contextmanager

from django.db import connection, transaction

from apps.audit.services import record_event
from apps.core.actors import Actor, ActorKind, Subject

CLERK = Actor(
    ActorKind.SYSTEM,
    "maintenance",
    "system:maintenance",
    permissions=frozenset({"audit.checkpoint_auditentry"}),
)


def record(number: int = 0, **details):
    with transaction.atomic():
        return record_event(
            actor=CLERK,
            event="tests.counted",
            subject=Subject("tests.thing", str(number)),
            details={"number": number, **details},
        )


def execute(statement: str, *values) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@contextmanager
def triggers_dropped():
    """What somebody does who owns the database and means harm."""
    if connection.vendor == "postgresql":
        execute("ALTER TABLE audit_auditentry DISABLE TRIGGER USER")
        yield
        execute("ALTER TABLE audit_auditentry ENABLE TRIGGER USER")
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, sql FROM sqlite_master "
            "WHERE type = 'trigger' AND tbl_name = 'audit_auditentry'"
        )
        triggers = cursor.fetchall()
    for name, _ in triggers:
        execute(f"DROP TRIGGER {name}")
    yield
    for _, sql in triggers:
        execute(sql)
