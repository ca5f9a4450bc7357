"""The main journey by hand, in a browser, as the four people; and as a wrong one."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from apps.accounts.models import User
from apps.accounts.permissions import actor_for_user, system_actor
from apps.accounts.roles import Role
from apps.approvals.models import ApprovalRequest
from apps.audit.selectors import verify_chains
from apps.datasets.models import DatasetVersion
from apps.datasets.services import DatasetDescription, create_dataset
from apps.models_registry.models import ModelAlias, ModelVersion, TrainingRun
from apps.models_registry.training import run_training
from apps.safety import services as safety
from apps.safety.contracts import RiskLevel
from apps.safety.models import Escalation
from apps.safety.policy import default_policy
from tests.models_registry import stages

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def a_file(folder: Path, name: str, rows: list[dict[str, str]]) -> Path:
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def pending() -> str:
    request = ApprovalRequest.objects.get(state=ApprovalRequest.State.PENDING)
    return f"/admin/approvals/approvalrequest/{request.pk}/change/"


def ingest_and_freeze(operator, reviewer, second, name, path, schema) -> DatasetVersion:
    author = actor_for_user(User.objects.get(username="operator"))
    rows = json.loads((stages.DEMO / f"{schema}.schema.json").read_text())
    create_dataset(
        actor=author,
        description=DatasetDescription(name, name, "For a test.", "CC0-1.0", rows),
    )
    operator.open("/admin/datasets/datasetversion/add/")
    operator.page.select_option("select[name=dataset]", label=name)
    operator.page.set_input_files("input[type=file]", path)
    operator.save_form()
    version_page = operator.page.url.removeprefix(operator.base)
    operator.press("Validate")
    assert operator.says("Validation passed.")
    operator.press("Submit for approval")
    reviewer.sign(pending())
    second.sign(pending())
    operator.open(version_page)
    operator.press("Freeze")
    assert operator.says("Frozen: manifests may name its digest now.")
    return DatasetVersion.objects.get(dataset__name=name)


def test_from_a_file_to_production_and_back(
    sits_down, tmp_path, media, registered_tasks, sent
) -> None:
    operator = sits_down("operator", Role.OPERATOR)
    reviewer = sits_down("reviewer", Role.REVIEWER)
    compliance = sits_down("compliance", Role.COMPLIANCE)
    clinician = sits_down("clinician", Role.CLINICIAN)
    messages = ingest_and_freeze(
        operator, reviewer, compliance, "messages",
        a_file(tmp_path, "messages", stages.some_messages()), "support_messages",
    )  # fmt: skip
    replies = ingest_and_freeze(
        operator, reviewer, compliance, "replies",
        a_file(tmp_path, "replies", stages.some_replies()), "reply_library",
    )  # fmt: skip

    operator.open("/admin/models_registry/registeredmodel/add/")
    operator.page.fill("input[name=name]", "support-reply")
    operator.page.fill("textarea[name=description]", "Ranks approved replies.")
    operator.save_form()
    operator.open("/admin/models_registry/trainingmanifest/add/")
    document = stages.manifest_document(messages.digest, replies.digest)
    operator.page.fill("#content-main textarea", json.dumps(document))
    operator.save_form()
    operator.press("Queue a run")
    run = TrainingRun.objects.get()
    run_training(str(run.pk))
    operator.open(f"/admin/models_registry/trainingrun/{run.pk}/change/")
    assert operator.says("train_loss")

    for _ in range(2):
        promote_by_hand(operator, reviewer, clinician, run)
        run = another_run(operator, run)
    operator.open("/admin/models_registry/modelalias/")
    operator.page.locator("#result_list tbody a").first.click()
    operator.page.fill("input[name=text]", "The first was better")
    operator.press("Roll back")

    assert operator.says("Rolled back to version 1.")
    assert ModelAlias.objects.get().version.number == 1
    assert compliance.open("/admin/audit/auditentry/") == 200
    compliance.follow("Verify the chain")
    assert compliance.says("Verified")
    assert verify_chains()
    everyone = (operator, reviewer, compliance, clinician)
    assert [desk.complaints for desk in everyone] == [[], [], [], []]


def promote_by_hand(operator, reviewer, clinician, run: TrainingRun) -> None:
    version = ModelVersion.objects.get(run=run)
    path = f"/admin/models_registry/modelversion/{version.pk}/change/"
    operator.open(path)
    operator.press("Evaluate")
    stages.measure(system_actor("evaluator"), version)
    operator.open(path)
    operator.page.fill("form[action*=submit] input[name=text]", "Ready")
    operator.press("Submit for approval")
    reviewer.sign(pending())
    clinician.sign(pending())
    operator.open(path)
    operator.page.fill("form[action*=promote] input[name=text]", "Signed by both")
    operator.press("Promote to production")
    assert operator.says("In production.")


def another_run(operator, run: TrainingRun) -> TrainingRun:
    operator.open(f"/admin/models_registry/trainingmanifest/{run.manifest_id}/change/")
    operator.press("Queue a run")
    newest = TrainingRun.objects.order_by("-created_at").first()
    run_training(str(newest.pk))
    return newest


def test_a_clinician_answers_a_case_and_others_are_told_why_not(sits_down) -> None:
    clinician = sits_down("clinician", Role.CLINICIAN)
    operator = sits_down("operator", Role.OPERATOR)
    case = safety.open_escalation(
        actor=system_actor("inference"),
        correlation_id=uuid.uuid4(),
        level=RiskLevel.IMMINENT,
        locale="en-GB",
        reasons=["crisis.plan"],
        digest=safety.text_digest("words that are not kept"),
        policy=default_policy(),
    )
    path = f"/admin/safety/escalation/{case.pk}/change/"

    assert operator.open(path) == 403
    assert operator.says("None of your roles holds the permission it needs.")
    clinician.open(path)
    clinician.press("Acknowledge")
    clinician.press("Resolve")
    case.refresh_from_db()
    assert case.state == Escalation.State.ACKNOWLEDGED
    clinician.page.select_option("select[name=disposition]", "supported")
    clinician.press("Resolve")

    case.refresh_from_db()
    assert (case.state, case.disposition) == ("resolved", "supported")
    assert clinician.complaints == []


def test_an_author_cannot_sign_what_they_submitted(sits_down) -> None:
    both = sits_down("olga", Role.OPERATOR, Role.CLINICIAN)
    both.open("/admin/safety/safetypolicy/add/")
    both.save_form()
    both.page.fill("form[action*=submit] input[name=reason]", "The first policy")
    both.press("Submit for approval")

    both.open(pending())

    assert both.page.get_by_role("button", name="Sign", exact=True).is_disabled()
    refusal = both.page.locator("#refusal").inner_text()
    assert "author" in refusal or "made" in refusal


def test_pages_fit_the_window_and_focus_is_seen(sits_down) -> None:
    compliance = sits_down("compliance", Role.COMPLIANCE)
    links = compliance.page.eval_on_selector_all(
        "a[href^='/admin/']", "all => [...new Set(all.map(a => a.pathname))]"
    )
    listed = [path for path in links if path.count("/") == 4]

    for path in listed:
        assert compliance.open(path) == 200
        width = compliance.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 1280, path
    compliance.page.keyboard.press("Tab")
    seen = compliance.page.evaluate(
        "(() => { const s = getComputedStyle(document.activeElement);"
        " return s.outlineStyle !== 'none' || s.boxShadow !== 'none'; })()"
    )
    assert len(listed) > 10
    assert seen
    assert compliance.complaints == []
