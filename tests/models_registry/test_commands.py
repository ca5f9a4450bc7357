"""The commands, and a worker that is killed while it trains."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection

from apps.accounts.permissions import system_actor
from apps.models_registry import services, training
from apps.models_registry.models import ModelAlias, TrainingRun
from tests.models_registry import stages


@pytest.fixture
def manifest_file(tmp_path, document):
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.django_db
def test_train_queues_a_run(operator, manifest_file, capsys):
    call_command("train", str(manifest_file), "--as", "olga")

    assert str(TrainingRun.objects.get().pk) in capsys.readouterr().out


@pytest.mark.django_db
def test_train_can_be_watched(operator, manifest_file, capsys, monkeypatch):
    from apps.models_registry.management.commands import train

    # The worker's part, done while the command would have slept.
    monkeypatch.setattr(
        train.time,
        "sleep",
        lambda _: training.run_training(str(TrainingRun.objects.get().pk)),
    )

    call_command("train", str(manifest_file), "--as", "olga", "--wait")

    printed = capsys.readouterr().out
    assert "dev_accuracy" in printed
    assert printed.strip().endswith("Succeeded")


@pytest.mark.django_db
def test_a_watched_run_that_is_cancelled_fails_the_command(
    operator, manifest_file, monkeypatch
):
    from apps.models_registry.management.commands import train

    monkeypatch.setattr(
        train.time,
        "sleep",
        lambda _: services.cancel_run(
            actor=operator, run_id=str(TrainingRun.objects.get().pk)
        ),
    )

    with pytest.raises(CommandError, match="cancelled"):
        call_command("train", str(manifest_file), "--as", "olga", "--wait")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "who", "said"),
    [
        ("{", "olga", "cannot be read as JSON"),
        ("{}", "olga", "does not fit its schema"),
        (None, "nobody", "no member of staff named nobody"),
    ],
)
def test_train_refuses_in_words(operator, manifest_file, content, who, said):
    if content is not None:
        manifest_file.write_text(content)

    with pytest.raises(CommandError, match=said):
        call_command("train", str(manifest_file), "--as", who)


@pytest.mark.django_db
def test_promote_and_list_say_where_the_alias_points(
    operator, candidate, approve, capsys
):
    approve(candidate)

    call_command(
        "promote_model", "support-reply", "1", "--as", "olga", "--reason", "first"
    )
    call_command("list_models")

    assert "support-reply@1  approved  production" in capsys.readouterr().out
    assert ModelAlias.objects.get().version == candidate


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("support-reply",), "number, or --rollback"),
        (("support-reply", "1", "--rollback"), "number, or --rollback"),
        (("support-reply", "1"), "not approved"),
        (("support-reply", "--rollback"), "no earlier version"),
    ],
)
def test_promote_refuses_in_words(operator, candidate, arguments, said):
    with pytest.raises(CommandError, match=said):
        call_command("promote_model", *arguments, "--as", "olga", "--reason", "r")


@pytest.mark.django_db
def test_a_run_can_be_done_in_the_foreground(queued, capsys):
    call_command("run_training_run", str(queued.pk))

    queued.refresh_from_db()
    assert str(queued.version.pk) in capsys.readouterr().out
    with pytest.raises(CommandError, match="not queued"):
        call_command("run_training_run", str(queued.pk))
    with pytest.raises(CommandError, match="not an identifier"):
        call_command("run_training_run", "nonsense")


def worker(run_id, media):
    """Another process that trains this run on this test's database and storage."""
    name = connection.settings_dict["NAME"]
    host = connection.settings_dict.get("HOST")
    url = f"postgres://postgres@{host}:5432/{name}" if host else f"sqlite:///{name}"
    return subprocess.Popen(
        [sys.executable, "manage.py", "run_training_run", run_id],
        cwd=django_settings.BASE_DIR,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "pe_platform.settings.test",
            "PE_TEST_STATE_DIR": str(media.parent),
            "DATABASE_URL": url,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def kill_after_a_checkpoint(process, run):
    for _ in range(600):
        if run.checkpoints.exists():
            break
        try:
            output, _ = process.communicate(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError(output.decode())
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_loses_no_training(operator, document, media):
    quick = {**document["hyperparameters"], "epochs": 300, "checkpoint_every": 20}
    manifest = services.create_manifest(
        actor=operator, document={**document, "hyperparameters": quick}
    )
    whole, killed = (
        services.queue_run(actor=operator, manifest_id=str(manifest.pk))
        for _ in range(2)
    )
    expected = training.run_training(str(whole.pk))
    kill_after_a_checkpoint(worker(str(killed.pk), media), killed)
    killed.refresh_from_db()
    assert killed.state == TrainingRun.State.RUNNING
    TrainingRun.objects.filter(pk=killed.pk).update(lease_expires_at=killed.queued_at)
    services.requeue_lost_runs(actor=system_actor("trainer"))

    resumed = training.run_training(str(killed.pk))

    killed.refresh_from_db()
    assert killed.attempts == 2
    assert resumed.artifacts == expected.artifacts
    assert stages.numbers(killed) == stages.numbers(whole)
