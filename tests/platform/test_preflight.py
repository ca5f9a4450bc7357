"""What the launcher refuses to start with, and the words it uses."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pe_platform.launch import preflight
from pe_platform.local_env import SECRETS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def said() -> list[str]:
    return []


def test_the_lock_names_its_holder_and_is_free_again_when_closed(tmp_path, said):
    first = preflight.only_launcher(tmp_path, said.append)
    assert (tmp_path / "launch.lock").read_text().strip() == str(os.getpid())
    first.close()

    preflight.only_launcher(tmp_path, said.append).close()

    assert said == []


def test_a_second_launcher_is_refused_and_told_which_one_runs(tmp_path, said):
    held = preflight.only_launcher(tmp_path, said.append)

    with pytest.raises(SystemExit, match=f"process {os.getpid()}.*Ctrl-C"):
        preflight.only_launcher(tmp_path, said.append)

    held.close()


def test_children_of_a_killed_launcher_are_waited_for(tmp_path, said, monkeypatch):
    path = tmp_path / "launch.lock"
    path.write_text(f"{_ended_pid()}\n")
    left = path.open("r+")
    fcntl.flock(left, fcntl.LOCK_EX)
    monkeypatch.setattr(preflight.time, "sleep", lambda _: left.close())

    preflight.only_launcher(tmp_path, said.append).close()

    assert said == ["waiting for the processes of a killed run to end"]


def test_children_that_never_end_are_not_waited_for_for_ever(
    tmp_path, said, monkeypatch
):
    path = tmp_path / "launch.lock"
    path.write_text(f"{_ended_pid()}\n")
    monkeypatch.setattr(preflight, "LEFTOVERS_TIMEOUT_S", -1)

    with path.open("r+") as left:
        fcntl.flock(left, fcntl.LOCK_EX)
        with pytest.raises(SystemExit, match="do not end"):
            preflight.only_launcher(tmp_path, said.append)


def _ended_pid() -> int:
    ended = subprocess.Popen(("true",))
    ended.wait()
    return ended.pid


def test_a_state_folder_that_cannot_be_written_is_named(tmp_path, said):
    (tmp_path / "file").write_text("")

    with pytest.raises(SystemExit, match=r"cannot be written.*PE_STATE_DIR"):
        preflight.only_launcher(tmp_path / "file", said.append)


def test_a_port_in_use_is_refused_with_another_to_try(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("PE_BIND", f"127.0.0.1:{port}")

        with pytest.raises(SystemExit, match=rf"127.0.0.1:{port} .*PE_BIND="):
            preflight.refuse_taken_port()


def test_a_free_port_passes(monkeypatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("PE_BIND", f"127.0.0.1:{port}")

    preflight.refuse_taken_port()


@pytest.mark.parametrize("text", ["8000", ":8000", "host:", "host:http", "h:70000"])
def test_an_address_without_host_or_port_is_refused(monkeypatch, text):
    monkeypatch.setenv("PE_BIND", text)

    with pytest.raises(SystemExit, match="is not an address"):
        preflight.bind_address()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("127.0.0.1", 8000)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        ("[::1]:80", ("::1", 80)),
    ],
)
def test_addresses_are_read_as_gunicorn_reads_them(monkeypatch, text, expected):
    monkeypatch.setenv("PE_BIND", text)

    assert preflight.bind_address() == expected


def test_a_revision_that_was_given_stands(monkeypatch):
    monkeypatch.setenv("PE_CODE_REVISION", "abc")

    preflight.name_revision(ROOT)

    assert os.environ["PE_CODE_REVISION"] == "abc"


def test_without_git_the_revision_stays_unknown(monkeypatch, tmp_path):
    monkeypatch.setenv("PE_CODE_REVISION", "")
    monkeypatch.setenv("PATH", str(tmp_path))

    preflight.name_revision(tmp_path)

    assert os.environ["PE_CODE_REVISION"] == ""


def test_the_revision_is_the_one_checked_out(monkeypatch, tmp_path):
    monkeypatch.delenv("PE_CODE_REVISION", raising=False)
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@localhost", "-C", tmp_path)
    for words in (("init", "-q"), ("commit", "-q", "--allow-empty", "-m", "First")):
        subprocess.run((*git, *words), check=True)
    head = subprocess.run((*git, "rev-parse", "HEAD"), capture_output=True, text=True)

    preflight.name_revision(tmp_path)

    assert os.environ["PE_CODE_REVISION"] == head.stdout.strip()


def launch(env_file: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """The real launcher with an environment that it must refuse."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PE_", "DJANGO_"))
    }
    return subprocess.run(
        (sys.executable, "-m", "pe_platform.launch"),
        cwd=ROOT,
        env={**inherited, "PE_ENV_FILE": str(env_file), **changes},
        capture_output=True,
        text=True,
        timeout=60,
    )


def secrets_file(folder: Path, *more: str, without: str = "") -> Path:
    names = [name for name in SECRETS if name not in (without, "PE_METRICS_TOKEN")]
    lines = [f"{name}={name.lower():x<40}" for name in names]
    path = folder / "env"
    path.write_text("\n".join(["PE_ENVIRONMENT=local", *lines, *more]) + "\n")
    return path


def test_a_missing_secret_is_named_before_anything_starts(tmp_path):
    env_file = secrets_file(tmp_path, without="PE_AUDIT_KEY")

    refused = launch(env_file, PE_STATE_DIR=str(tmp_path / "state"))

    assert refused.returncode == 1
    assert "settings cannot be used: PE_AUDIT_KEY is not set" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_damaged_env_file_is_named_by_line_without_quoting_it(tmp_path):
    env_file = secrets_file(tmp_path, "half a secr")

    refused = launch(env_file, PE_STATE_DIR=str(tmp_path / "state"))

    assert refused.returncode == 1
    last = len(env_file.read_text().splitlines())
    assert f"env, line {last}: expected NAME=value" in refused.stderr
    assert "secr" not in refused.stderr.replace("settings", "")
    assert "Traceback" not in refused.stderr


def test_a_state_folder_that_cannot_be_made_is_refused_by_the_settings(tmp_path):
    env_file = secrets_file(tmp_path)

    refused = launch(env_file, PE_STATE_DIR=str(env_file / "state"))

    assert refused.returncode == 1
    assert "state folder" in refused.stderr
    assert "Traceback" not in refused.stderr
