"""Evidence for a period: what stands in it, what must not be missing, and forgeries."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import zipfile
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from guardian.shortcuts import assign_perm

from apps.accounts.models import User
from apps.accounts.permissions import acting_user
from apps.accounts.roles import ROLE_PERMISSIONS, Role
from apps.audit.models import AuditEntry
from apps.compliance import services
from apps.compliance.evidence import duties, period
from apps.compliance.evidence.period import LOOKS, Period
from apps.compliance.models import EvidenceBundle
from apps.core.digests import canonical_json
from apps.core.errors import InvalidInput, NotPermitted
from apps.core.signing import public_key
from apps.safety.services import read_escalation_text
from tests.compliance.people import PERSON, SAID, keep_everything, verified

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools" / "verify_audit.py"
# Where sealed values are opened: the event that tells of it, or why nobody looks.
OPENINGS = {
    "apps/compliance/holdings.py": "compliance.subject_opened",
    "apps/safety/services/texts.py": "safety.escalation_text_read",
    "apps/inference/replaying.py": "inference.request_replayed",
    "apps/inference/explained.py": "inference.words_read",
    "apps/inference/kept_text.py": "opens for replaying.py and explained.py",
    "apps/inference/sealing.py": "names the purpose; opens for the others",
    "apps/inference/idempotency.py": "gives the program its own first answer again",
    "apps/safety/spool.py": "turns a case on disk into a row, sealed again",
    "apps/core/keys/stores.py": "seals again under another key",
    "apps/inference/batches/running.py": "answers a line that waits",
    "apps/inference/batches/reporting.py": "gives the program its own answers",
    "apps/accounts/services/factors.py": "compares a code; no participant's words",
    "apps/models_registry/secrets.py": "a secret of an endpoint, not words",
}
pytestmark = pytest.mark.django_db


@pytest.fixture
def today() -> Period:
    now = timezone.now().date()
    return Period(now, now)


@pytest.fixture
def bundle(officers, today, tmp_path) -> Path:
    target = tmp_path / "evidence.zip"
    services.export_evidence(actor=officers[0], asked=today, target=target)
    return target


def run(path: Path) -> dict:
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), "bundle", str(path), "--key", public_key()],
        capture_output=True, text=True, check=False, cwd="/",
        env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def rewritten(path: Path, change) -> Path:
    """The same ZIP after ``change`` had its way with name → bytes."""
    with zipfile.ZipFile(path) as source:
        files = {name: source.read(name) for name in source.namelist()}
    target = path.with_name("forged.zip")
    with zipfile.ZipFile(target, "w") as forged:
        for name, content in change(files).items():
            forged.writestr(name, content)
    return target


def test_a_bundle_verifies_offline_and_is_on_record(bundle, today):
    answer = run(bundle)

    assert answer["verified"], answer
    assert answer["period"] == {"first": str(today.first), "last": str(today.last)}
    assert answer["audit"]["entries"] >= 1
    assert EvidenceBundle.objects.get().digest.startswith("sha256:")
    assert AuditEntry.objects.filter(event="compliance.evidence_exported").exists()
    assert bundle.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda files: {**files, "approvals.json": b"[]"} | {"looks.json": b"[{}]"},
        lambda files: {n: c for n, c in files.items() if n != "conflicts.json"},
        lambda files: {**files, "more.json": b"[]"},
        lambda files: {**files, "manifest.json": files["manifest.json"].replace(
            b'"conflicts":', b'"conflict5":')},
        lambda files: {**files, "../outside.json": b"[]"},
        lambda files: {**files, "audit/chain-1.jsonl": b""},
        lambda files: {n: c for n, c in files.items() if n != "manifest.json"},
    ],
    ids=["edited", "removed", "added", "manifest", "escaping", "chain", "unsigned"],
)  # fmt: skip
def test_a_forged_bundle_is_found(bundle, change):
    assert not run(rewritten(bundle, change))["verified"]


def test_a_manifest_remade_around_other_files_is_found(bundle, settings):
    def remake(files):
        manifest = json.loads(files["manifest.json"])
        manifest["files"]["looks.json"] = "sha256:" + "0" * 64
        return {**files, "manifest.json": canonical_json(manifest)}

    assert "signature is wrong" in run(rewritten(bundle, remake))["error"]


def test_looks_say_who_saw_what_and_why(officers, program, acting, today):
    kept = keep_everything(PERSON, SAID, program.family_id)
    responder = acting("rana", Role.RESPONDER)
    why = "the caller asked what they had said"
    read_escalation_text(actor=responder, escalation_id=str(kept.case.pk), reason=why)
    request = verified(officers, program, "export")
    services.export_subject(actor=officers[1], request_id=request)

    found = period.looks(today)

    assert [(one["who"], one["event"], one["why"]) for one in found] == [
        ("rana", "safety.escalation_text_read", why),
        ("ciro", "compliance.subject_opened", ""),
        ("ciro", "compliance.subject_exported", ""),
    ]
    yesterday = today.first - timedelta(days=1)
    assert period.looks(Period(yesterday, yesterday)) == []


def _opens(path: Path) -> bool:
    calls = [node for node in ast.walk(ast.parse(path.read_text()))
             if isinstance(node, ast.Call)]  # fmt: skip
    names = {getattr(call.func, "id", getattr(call.func, "attr", "")) for call in calls}
    return bool(names & {"unseal", "unseal_bytes", "open_text"})


def test_no_way_of_opening_sealed_text_is_missing_from_the_access_log():
    found = {
        str(path.relative_to(ROOT))
        for folder in ("apps", "pe_platform")
        for path in (ROOT / folder).rglob("*.py")
        if _opens(path)
    }
    events = [why for why in OPENINGS.values() if " " not in why]

    assert found == set(OPENINGS)
    assert set(events) <= set(LOOKS)
    sources = [
        path.read_text()
        for path in (ROOT / "apps").rglob("*.py")
        if path.name != "period.py"
    ]
    assert all(any(event in source for source in sources) for event in LOOKS)


def test_the_access_review_lists_people_objects_and_programs(
    officers, program, person, today
):
    person("root", is_superuser=True)
    gone = person("gone", Role.REVIEWER)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    assign_perm("accounts.change_tier", acting_user(officers[0]), program.tier)

    people = {str(one["username"]): one for one in duties.people(today)}
    (grant,) = duties.object_permissions(today)
    keys = duties.programs(today)

    assert people["cora"]["roles"] == ["compliance_officer"]
    assert people["root"]["is_superuser"]
    assert not people["gone"]["is_active"]
    assert grant == {
        "holder": "person cora",
        "permission": "change_tier",
        "object": f"accounts {program.tier_id}",
    }
    assert [key["prefix"] for key in keys] == [program.prefix]


def test_conflicts_of_duty_are_told_with_what_stops_them(officers, person, today):
    person("root", is_superuser=True)
    person("both", Role.OPERATOR, Role.REVIEWER)

    found = duties.conflicts(today)

    mine = {one["conflict"] for one in found if one["who"] == "both"}
    assert "promote a version and sign for it" in mine
    assert "ask for access to rows and sign for it" in mine
    root = [one for one in found if one["who"] == "root"]
    assert [one["stopped_by"] for one in root] == [""]
    cora = [one for one in found if one["who"] == "cora"]
    assert any("erasure takes two" in str(one["stopped_by"]) for one in cora)


def test_every_permission_of_the_matrix_is_one_that_a_role_holds():
    held = frozenset().union(*ROLE_PERMISSIONS.values())

    for one in duties.CONFLICTS:
        assert one.one <= held, one.name
        assert one.other <= held, one.name


def test_a_period_that_ends_before_it_starts_is_refused():
    with pytest.raises(InvalidInput):
        Period(date(2026, 2, 1), date(2026, 1, 1))


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.REVIEWER, Role.RESPONDER])
def test_others_export_nothing(acting, role, today, tmp_path):
    with pytest.raises(NotPermitted):
        services.export_evidence(
            actor=acting("stranger", role), asked=today, target=tmp_path / "x.zip"
        )
    assert not (tmp_path / "x.zip").exists()


def test_the_command_writes_one_file_and_never_over_another(officers, tmp_path):
    target, out = tmp_path / "evidence.zip", StringIO()
    given = {"actor": "cora", "output": target}

    call_command(
        "evidence_export", "--from=2026-01-01", "--to=2026-12-31", **given, stdout=out
    )

    assert public_key() in out.getvalue()
    assert run(target)["verified"]
    with pytest.raises(CommandError, match="cannot be made"):
        call_command("evidence_export", "--from=2026-01-01", "--to=2026-12-31", **given)
    with pytest.raises(CommandError, match="written as"):
        call_command("evidence_export", "--from=soon", "--to=2026-12-31", **given)
