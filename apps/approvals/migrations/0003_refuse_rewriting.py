"""Triggers: sign-offs are final and match their request; what was bound stays bound."""

from django.db import migrations

BOUND = (
    "subject_label",
    "subject_id",
    "subject_digest",
    "author_id",
    "quorum",
    "eligible_roles",
    "expires_at",
)
FINAL = "sign-offs cannot be changed or deleted"
MISMATCH = "a sign-off must name the author and digest of a pending request"
KEPT = "what an approval request was bound to cannot be changed"
CLOSED = "a closed approval request cannot be opened or decided again"
GOVERNED = "approval requests cannot be deleted"

POSTGRESQL = f"""
CREATE FUNCTION approvals_signoff_is_final() RETURNS trigger AS $$
BEGIN
    RAISE EXCEPTION '{FINAL}';
END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER approvals_signoff_final BEFORE UPDATE OR DELETE ON approvals_signoff
    FOR EACH ROW EXECUTE FUNCTION approvals_signoff_is_final();

CREATE FUNCTION approvals_signoff_matches() RETURNS trigger AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM approvals_approvalrequest request
        WHERE request.id = NEW.request_id AND request.author_id = NEW.author_id
          AND request.subject_digest = NEW.subject_digest AND request.state = 'pending'
    ) THEN
        RAISE EXCEPTION '{MISMATCH}' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER approvals_signoff_match BEFORE INSERT ON approvals_signoff
    FOR EACH ROW EXECUTE FUNCTION approvals_signoff_matches();

CREATE FUNCTION approvals_request_is_bound() RETURNS trigger AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION '{GOVERNED}';
    END IF;
    IF {" OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in BOUND)} THEN
        RAISE EXCEPTION '{KEPT}';
    END IF;
    IF OLD.state <> 'pending' AND NEW.state <> OLD.state THEN
        RAISE EXCEPTION '{CLOSED}';
    END IF;
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER approvals_request_bound
    BEFORE UPDATE OR DELETE ON approvals_approvalrequest
    FOR EACH ROW EXECUTE FUNCTION approvals_request_is_bound();
"""
POSTGRESQL_REVERSE = """
DROP TRIGGER approvals_request_bound ON approvals_approvalrequest;
DROP TRIGGER approvals_signoff_match ON approvals_signoff;
DROP TRIGGER approvals_signoff_final ON approvals_signoff;
DROP FUNCTION approvals_request_is_bound();
DROP FUNCTION approvals_signoff_matches();
DROP FUNCTION approvals_signoff_is_final();
"""


def _abort(name, event, table, message, when=""):
    return (
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} {when} "
        f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


_REQUEST, _SIGNOFF = "approvals_approvalrequest", "approvals_signoff"
SQLITE = {
    "approvals_signoff_no_update": ("UPDATE", _SIGNOFF, FINAL),
    "approvals_signoff_no_delete": ("DELETE", _SIGNOFF, FINAL),
    "approvals_signoff_match": (
        "INSERT",
        _SIGNOFF,
        MISMATCH,
        f"WHEN NOT EXISTS (SELECT 1 FROM {_REQUEST} request "
        "WHERE request.id = NEW.request_id AND request.author_id = NEW.author_id "
        "AND request.subject_digest = NEW.subject_digest "
        "AND request.state = 'pending')",
    ),
    "approvals_request_no_delete": ("DELETE", _REQUEST, GOVERNED),
    "approvals_request_bound": (
        "UPDATE",
        _REQUEST,
        KEPT,
        "WHEN " + " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in BOUND),
    ),
    "approvals_request_closed": (
        "UPDATE",
        _REQUEST,
        CLOSED,
        "WHEN OLD.state <> 'pending' AND NEW.state <> OLD.state",
    ),
}


def add_triggers(apps, schema_editor):
    sqlite = [_abort(name, *parts) for name, parts in SQLITE.items()]
    _run(schema_editor, [POSTGRESQL], sqlite)


def drop_triggers(apps, schema_editor):
    sqlite = [f"DROP TRIGGER {name}" for name in SQLITE]
    _run(schema_editor, [POSTGRESQL_REVERSE], sqlite)


def _run(schema_editor, postgresql, sqlite):
    statements = {"postgresql": postgresql, "sqlite": sqlite}
    for statement in statements.get(schema_editor.connection.vendor, ()):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("approvals", "0002_stated_and_bound")]
    operations = [migrations.RunPython(add_triggers, drop_triggers)]
