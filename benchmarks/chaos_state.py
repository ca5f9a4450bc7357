"""What a state folder of the drill holds, read without Django: rows and processes."""

from __future__ import annotations

import os
import socket
import sqlite3
from pathlib import Path
from typing import Any

TABLES = {
    "checkpoints": "models_registry_checkpoint",
    "reports": "models_registry_evaluationreport",
    "signoffs": "approvals_signoff",
    "escalations": "safety_escalation",
    "migrations": "django_migrations",
}
# What must be the same after every drill, whatever was killed.
OUTCOME = {
    "runs": "SELECT state FROM models_registry_trainingrun",
    "versions": "SELECT number, state, artifacts FROM models_registry_modelversion",
    "metrics": "SELECT step, name, value FROM models_registry_metricpoint"
    " ORDER BY step, name",
    "reports": "SELECT evaluator, metrics FROM models_registry_evaluationreport"
    " ORDER BY evaluator",
    "datasets": "SELECT digest, state FROM datasets_datasetversion ORDER BY digest",
    "approvals": "SELECT r.subject_label, r.state, u.username FROM approvals_signoff s"
    " JOIN approvals_approvalrequest r ON r.id = s.request_id"
    " JOIN accounts_user u ON u.id = s.signer_id"
    " ORDER BY r.subject_label, r.state, u.username",
    "promotions": "SELECT alias, is_rollback FROM models_registry_aliaschange",
}


class Rows:
    """The SQLite database of a state folder, read only."""

    def __init__(self, state: Path) -> None:
        self.path = state / "platform.sqlite3"

    def all(self, query: str) -> list[tuple[Any, ...]]:
        """Every row; none while the database or the table is not there yet."""
        try:
            link = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=5)
        except sqlite3.OperationalError:
            return []
        try:
            return link.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []
        finally:
            link.close()

    def count(self, what: str) -> int:
        found = self.all(f"SELECT count(*) FROM {TABLES[what]}")
        return int(found[0][0]) if found else 0

    def open_requests(self) -> int:
        """Requests that a web worker has claimed and not answered."""
        query = "SELECT 1 FROM inference_idempotentrequest WHERE response IS NULL"
        return len(self.all(query))

    def outcome(self) -> dict[str, Any]:
        return {name: self.all(query) for name, query in OUTCOME.items()}

    def live_key_prefixes(self) -> list[str]:
        query = "SELECT prefix FROM accounts_apikey WHERE revoked_at IS NULL"
        return [prefix for (prefix,) in self.all(query)]


def processes(state: Path) -> dict[int, tuple[int, str]]:
    """Pid to (parent, service) of everything that was started on a state folder."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
            status = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if f"PE_STATE_DIR={state}".encode() not in environment or status[0] == "Z":
            continue
        names = [e[11:].decode() for e in environment if e.startswith(b"PE_SERVICE=")]
        found[int(folder.name)] = (int(status[1]), names[0] if names else "launcher")
    return found


def victim(state: Path, service: str, part: str) -> int | None:
    """The pid of a service's parent process, or of its child that is at work."""
    living = processes(state)
    ours = {pid: parent for pid, (parent, name) in living.items() if name == service}
    tops = [pid for pid, parent in ours.items() if parent not in ours]
    if part == "parent":
        return tops[0] if tops else None
    children = [pid for pid, parent in ours.items() if parent in tops]
    return max(children, key=_open_sockets, default=None)


def _open_sockets(pid: int) -> int:
    """A web worker that serves a request holds one socket more than the idle ones."""
    count = 0
    for link in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            count += os.readlink(link).startswith("socket:")
        except OSError:
            continue
    return count


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
