"""Triggers that refuse to change or delete audit entries, below the ORM."""

from django.db import migrations

POSTGRESQL = """
CREATE FUNCTION audit_entry_is_final() RETURNS trigger AS $$
BEGIN
    RAISE EXCEPTION 'audit entries cannot be changed or deleted';
END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER audit_entry_final BEFORE UPDATE OR DELETE ON audit_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_is_final();
"""
POSTGRESQL_REVERSE = """
DROP TRIGGER audit_entry_final ON audit_auditentry;
DROP FUNCTION audit_entry_is_final();
"""
SQLITE = (
    """CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_auditentry
    BEGIN SELECT RAISE(ABORT, 'audit entries cannot be changed or deleted'); END""",
    """CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_auditentry
    BEGIN SELECT RAISE(ABORT, 'audit entries cannot be changed or deleted'); END""",
)
SQLITE_REVERSE = (
    "DROP TRIGGER audit_entry_no_update",
    "DROP TRIGGER audit_entry_no_delete",
)


def add_triggers(apps, schema_editor):
    _run(schema_editor, (POSTGRESQL,), SQLITE)


def drop_triggers(apps, schema_editor):
    _run(schema_editor, (POSTGRESQL_REVERSE,), SQLITE_REVERSE)


def _run(schema_editor, postgresql, sqlite):
    statements = {"postgresql": postgresql, "sqlite": sqlite}
    for statement in statements.get(schema_editor.connection.vendor, ()):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_chain")]
    operations = [migrations.RunPython(add_triggers, drop_triggers)]
