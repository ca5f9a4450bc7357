"""The demo, with its services, tasks and HTTP requests real, on a small dataset."""

from __future__ import annotations

import inspect
import io
import json
import re

import pytest
from celery import current_app
from django.apps import apps
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.accounts.keys import forget_cached_keys
from apps.accounts.limits import close_limiter
from apps.accounts.models import ApiKey, User
from apps.accounts.permissions import system_actor
from apps.accounts.services import sync_roles, sync_tiers
from apps.approvals.models import SignOff
from apps.audit.models import AuditEntry
from apps.audit.selectors import verify_chains
from apps.experiments import tasks as evaluation_tasks
from apps.models_registry import tasks as training_tasks
from apps.models_registry.models import AliasChange, ModelVersion, TrainingRun
from apps.safety import tasks as escalation_tasks
from apps.safety.assembly import warm
from apps.safety.models import Escalation
from apps.safety.selectors import forget_policies
from pe_platform.demo import access, cast, data, people, policy, signing, training
from tests.models_registry import stages
from tests.models_registry.fixtures import media, registered_tasks  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
TASKS = {
    task.name: task
    for task in (
        training_tasks.run_training,
        evaluation_tasks.evaluate_required,
        escalation_tasks.notify,
    )
}
STEPS = (people, policy, data, signing, training, access)
# Two of each: three datasets, one policy, one version.
SIGN_OFFS = 10


class Killed(BaseException):
    """Stands for a process that is gone: nothing catches it."""


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A demo folder with few rows and a training of less than a second."""
    rows = {
        "support_messages": stages.some_messages(),
        "reply_library": stages.some_replies(),
        "safety_suite": list(stages.demo_rows("safety_suite.jsonl")),
    }
    for name, content in rows.items():
        lines = "".join(json.dumps(row) + "\n" for row in content)
        (tmp_path / f"{name}.jsonl").write_text(lines)
        schema = (stages.DEMO / f"{name}.schema.json").read_text()
        (tmp_path / f"{name}.schema.json").write_text(schema)
    monkeypatch.setattr(cast, "FOLDER", tmp_path)
    monkeypatch.setattr(cast, "HYPERPARAMETERS", stages.QUICK)
    monkeypatch.setattr(training, "POLL_S", 0)
    monkeypatch.setattr(access, "RETRY_S", 0)


@pytest.fixture
def workers(monkeypatch, registered_tasks):  # noqa: F811
    """Tasks run where they are sent, as a worker that is never busy would."""

    def run(name, args=(), **_):
        TASKS[name].apply(args=args, throw=True)

    monkeypatch.setattr(current_app._get_current_object(), "send_task", run)


@pytest.fixture
def demo(small, media, workers, settings, tmp_path, live_server):  # noqa: F811
    """``demo()`` runs the command against a live server and returns what it said."""
    settings.PE_LIMITER_FILE = tmp_path / "limits.sqlite3"
    settings.PE_KEY_STAMP_FILE = tmp_path / "keys.stamp"
    settings.PE_CHECKPOINT_FILE = tmp_path / "checkpoints.jsonl"
    forget_cached_keys()
    forget_policies()
    warm()
    sync_roles(actor=system_actor("bootstrap"))
    sync_tiers(actor=system_actor("bootstrap"))

    def run() -> str:
        said = io.StringIO()
        call_command("demo", url=live_server.url, stdout=said)
        return said.getvalue()

    yield run
    close_limiter()


def everything() -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables of ours."""
    return {
        model._meta.label: sorted(model.objects.values_list(), key=str)
        for model in apps.get_models()
        if model.__module__.startswith("apps.")
    }


def test_the_demo_ends_with_two_gated_answers_and_changes_nothing_again(demo):
    said = demo()
    stands = everything()
    again = demo()

    assert "decision: allow, version 1" in said
    assert "decision: escalate" in said
    assert Escalation.objects.count() == 1
    assert SignOff.objects.count() == SIGN_OFFS
    shown = re.findall(r"^  (\w+) +(\w{5}(?:-\w{5}){3})$", said, re.MULTILINE)
    assert {name for name, _ in shown} == {person.username for person in cast.PEOPLE}
    assert all(
        User.objects.get(username=name).check_password(text) for name, text in shown
    )
    key = ApiKey.objects.get(revoked_at=None)
    assert said.count(f"{key.prefix}_") == 3
    assert verify_chains()
    assert everything() == stands
    assert "Nothing to do" in again
    assert not re.search(r"\w{5}(-\w{5}){3}", again.replace(str(run_id()), ""))


def run_id():
    return TrainingRun.objects.get().pk


def test_a_demo_killed_after_any_step_goes_on_where_it_stood(demo, monkeypatch):
    deaths = _die_after_each_new_step(monkeypatch)
    for _ in range(100):
        try:
            said = demo()
            break
        except Killed:
            continue

    assert len(deaths) > 30
    assert TrainingRun.objects.get().state == TrainingRun.State.SUCCEEDED
    assert ModelVersion.objects.get().state == ModelVersion.State.APPROVED
    assert SignOff.objects.count() == SIGN_OFFS
    assert AliasChange.objects.count() == 1
    assert f"{ApiKey.objects.get(revoked_at=None).prefix}_" in said
    assert said.count("shown once") == 2
    assert verify_chains()


def _die_after_each_new_step(monkeypatch) -> set[str]:
    """Wrap every service that the demo's modules call; the calls it died after."""
    deaths: set[str] = set()

    def mortal(service):
        def call(*args, **kwargs):
            result = service(*args, **kwargs)
            told = {k: v for k, v in kwargs.items() if k not in ("actor", "source")}
            step = f"{service.__name__} {kwargs.get('actor', '')} {told}"
            if step not in deaths:
                deaths.add(step)
                raise Killed
            return result

        return call

    for module in STEPS:
        for name, found in inspect.getmembers(module, inspect.isfunction):
            if ".services" in found.__module__:
                monkeypatch.setattr(module, name, mortal(found))
    return deaths


def _die() -> dict[str, str]:
    raise Killed


def test_reports_are_asked_for_again_when_the_task_was_lost(demo, monkeypatch):
    monkeypatch.setattr(training, "ASK_AGAIN_S", 0)
    app = current_app._get_current_object()
    send, lost = app.send_task, []

    def losing_one(name, *args, **kwargs):
        if name == "experiments.evaluate_required" and not lost:
            lost.append(name)
            return
        send(name, *args, **kwargs)

    monkeypatch.setattr(app, "send_task", losing_one)

    assert "In production" in demo()
    assert lost


def test_a_run_that_failed_is_told_and_replaced_by_the_next_demo(demo, monkeypatch):
    app = current_app._get_current_object()
    with monkeypatch.context() as patch:
        patch.setattr(app, "send_task", lambda *_, **__: _fail_open_runs())
        with pytest.raises(CommandError, match="ended as failed"):
            demo()

    demo()

    states = sorted(TrainingRun.objects.values_list("state", flat=True))
    assert states == ["failed", "succeeded"]


def _fail_open_runs() -> None:
    TrainingRun.objects.update(
        state=TrainingRun.State.FAILED,
        failure_code="internal_error",
        finished_at=timezone.now(),
    )


def test_a_server_that_is_not_there_is_said_so(monkeypatch):
    monkeypatch.setattr(access, "ANSWER_TIMEOUT_S", 0)
    monkeypatch.setattr(access, "RETRY_S", 0)

    with pytest.raises(access.Unavailable, match="is it running"):
        access.ask("http://127.0.0.1:9", "pe_live_x", "hello")


def test_a_demo_killed_while_it_shows_the_key_shows_another(demo, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(access, "curl_line", lambda *_: _die())
        with pytest.raises(Killed):
            demo()
    unseen = ApiKey.objects.get()
    assert not AuditEntry.objects.filter(event="platform.demo_completed").exists()

    said = demo()

    unseen.refresh_from_db()
    assert unseen.revoked_at is not None
    assert f"{ApiKey.objects.get(revoked_at=None).prefix}_" in said
