"""The rollout command and page: what operators type and see."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.permissions import system_actor
from apps.experiments import services
from apps.experiments.models import Rollout
from apps.models_registry.models import ModelAlias
from tests.experiments.conftest import plan
from tests.models_registry import stages

pytestmark = pytest.mark.django_db
HALF = {"shares": {"candidate": 0.5}}


def run(*words: str) -> str:
    out = StringIO()
    call_command("rollout", *words, stdout=out)
    return out.getvalue()


def as_json(*words: str):
    return json.loads(run(*words, "--json"))


def test_a_plan_is_drafted_signed_started_led_on_and_completed(
    tmp_path, treated, signers
):
    document = as_json("plan", "support-reply", "2")
    for step in document["steps"]:
        step.update(minutes=0, units=0)
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(document))

    drafted = as_json("draft", str(path), "--as", "olga")
    stages.sign_pending(drafted["rollout"], *signers)
    states = [as_json("start", drafted["rollout"], "--as", "olga")["state"]]
    for _ in range(3):
        moved = as_json("step", drafted["rollout"], "--as", "olga")
    done = as_json(
        "complete", drafted["rollout"], "--arm", "candidate", "--as", "olga",
        "--reason", "as good",
    )  # fmt: skip

    assert (drafted["state"], states) == ("submitted", ["running"])
    assert moved["step"] == "4 of 4"
    assert done["state"] == "completed"
    assert ModelAlias.objects.get(name="production").version_id == treated.pk


def test_status_shows_arms_intervals_and_what_it_waits_for(running, answered):
    rollout = running({"shares": {"candidate": 0.5}, "units": 30})
    answered(rollout, "candidate", 10, decision="block")
    answered(rollout, "control", 12)

    shown = run("status", str(rollout.pk))

    assert "candidate: 50.0% of traffic, 10 units, 10 requests" in shown
    assert "blocks       100.000%" in shown
    assert "BREACH" in shown
    assert "20 more units in candidate" in shown


def test_stop_and_watch_from_the_shell(running, answered):
    rollout_id = str(running(HALF).pk)
    assert as_json("watch") == {"rolled_back": []}

    shown = as_json("stop", rollout_id, "--as", "olga", "--reason", "odd replies")

    assert (shown["state"], shown["end_reason"]) == ("stopped", "odd replies")
    assert [arm["name"] for arm in shown["findings"]["arms"]] == [
        "control",
        "candidate",
    ]


def test_a_preview_and_the_power_of_a_guard(draft):
    assert as_json("preview", str(draft(HALF).pk))["guards"]["errors"] == 0.01
    few = as_json("power", "--base", "0.02", "--change", "0.1", "--share", "0.1")
    many = as_json("power", "--base", "0.02", "--change", "0.02", "--share", "0.1")
    assert few["units"] < many["units"]
    assert many["of_the_candidate"] == -(-many["units"] // 10)


@pytest.mark.parametrize(
    "words",
    [
        ("start", stages.UNKNOWN_ID, "--as", "olga"),
        ("status", "not-an-id"),
        ("draft", "no-such-file.json", "--as", "olga"),
        ("power", "--base", "0.9", "--change", "0.5", "--share", "0.1"),
    ],
)
def test_what_cannot_be_done_is_said_and_exits_with_an_error(operator, words):
    with pytest.raises(CommandError):
        run(*words)


@pytest.fixture
def as_operator(client, operator):
    client.force_login(User.objects.get(pk=operator.id))
    return client


def url(page, *args):
    return reverse(f"admin:experiments_rollout_{page}", args=args)


def take(client, rollout, verb, text=""):
    page = client.post(url("step", rollout.pk, verb), {"text": text}, follow=True)
    return [str(message) for message in page.context["messages"]][-1:]


def test_a_rollout_is_drafted_started_and_stopped_on_screen(
    as_operator, treated, signers
):
    document = json.dumps(plan(HALF))
    as_operator.post(url("add"), {"plan": document})
    rollout = Rollout.objects.get()
    assert take(as_operator, rollout, "submit")[0].startswith("Submitted")
    stages.sign_pending(str(rollout.pk), *signers)

    started = take(as_operator, rollout, "start")
    stopped = take(as_operator, rollout, "stop", "odd replies")

    rollout.refresh_from_db()
    assert started == ["Started at its first step."]
    assert stopped[0].startswith("Stopped")
    assert rollout.end_reason == "odd replies"


def test_the_page_shows_arms_and_refuses_an_early_step(as_operator, running, answered):
    rollout = running({"shares": {"candidate": 0.5}, "units": 30}, HALF)
    answered(rollout, "candidate", 10)
    answered(rollout, "control", 12)

    page = as_operator.get(url("change", rollout.pk)).content.decode()
    refused = take(as_operator, rollout, "step")
    too_early = take(as_operator, rollout, "complete", "candidate")

    assert "candidate: 50.0% of traffic, 10 units, 10 requests" in page
    assert "<svg" in page
    assert "20 more units in candidate" in refused[0]
    assert "1 further steps" in too_early[0]


def test_the_list_and_ended_rollouts_can_be_read(
    as_operator, running, answered, django_assert_max_num_queries
):
    rollout = running({"shares": {}, "shadow": ["candidate"]})
    answered(rollout, "control", 5)
    take(as_operator, rollout, "stop", "enough")
    rows = running(HALF)
    answered(rows, "control", 90)
    answered(rows, "candidate", 60, decision="unavailable")
    services.watch_rollouts(actor=system_actor("rollouts"))

    with django_assert_max_num_queries(16):
        listing = as_operator.get(url("changelist")).content.decode()
    pages = [
        as_operator.get(url("change", row.pk)).content.decode()
        for row in Rollout.objects.all()
    ]

    assert "candidate/errors" in listing
    assert any("BREACH" in page for page in pages)


@pytest.mark.parametrize("kind", ["rolloutarm", "shadowcomparison"])
def test_rows_beside_a_rollout_are_listed(as_operator, kind):
    page = as_operator.get(reverse(f"admin:experiments_{kind}_changelist"))

    assert page.status_code == 200


def test_a_plan_that_cannot_be_used_is_refused_on_the_form(as_operator, treated):
    for text, said in (("{", "not JSON"), ("{}", "required property")):
        page = as_operator.post(url("add"), {"plan": text})
        assert said in page.content.decode()
    assert Rollout.objects.count() == 0
