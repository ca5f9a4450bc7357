"""One life of the launcher, with small real processes in the place of the platform."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.chaos_state import free_port, is_free
from pe_platform.launch import __main__ as launch
from pe_platform.launch.preflight import only_launcher
from pe_platform.launch.processes import ProcessSpec

# Writes when it ends because it was asked to.
SERVER = """
import http.server, pathlib, signal, sys
folder, port = pathlib.Path(sys.argv[1]), int(sys.argv[2])
def finish(*_):
    (folder / "drained").touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, finish)
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", port), Ready).serve_forever()
"""
INTERRUPT = "import os, signal, time; os.kill(os.getppid(), signal.SIGINT)"


@pytest.fixture
def port(monkeypatch) -> int:
    chosen = free_port()
    monkeypatch.setenv("PE_BIND", f"127.0.0.1:{chosen}")
    return chosen


@pytest.fixture
def live(tmp_path: Path, port: int, monkeypatch) -> Iterator[Callable[..., int]]:
    """``live(prepare="...", demo="...")``: Python code for the two commands."""
    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    server = ProcessSpec(
        "web", (sys.executable, "-c", SERVER, str(tmp_path), str(port))
    )
    monkeypatch.setattr(launch, "process_plan", lambda *_: (server,))
    lock = only_launcher(tmp_path, print)

    def run(**code: str) -> int:
        def spec(base: Path, name: str, *arguments: str) -> ProcessSpec:
            return ProcessSpec(name, (sys.executable, "-c", code[name], *arguments))

        monkeypatch.setattr(launch, "command_spec", spec)
        return launch.Launcher(tmp_path, lock).live("demo" in code)

    yield run
    lock.close()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_ctrl_c_drains_the_children_and_ends_well(live, tmp_path, port, capfd):
    status = live(prepare="print('prepared')", demo=f"print('shown'); {INTERRUPT}")

    said = capfd.readouterr().out
    assert status == 0
    assert said.index("prepared") < said.index("are up") < said.index("shown")
    assert "requests and tasks under way may finish" in said
    assert (tmp_path / "drained").exists()
    assert is_free(port)


def test_ctrl_c_while_preparing_starts_nothing(live, tmp_path, capfd):
    status = live(prepare=f"{INTERRUPT}; time.sleep(60)")

    assert status == 0
    assert "are up" not in capfd.readouterr().out
    assert not (tmp_path / "log").exists()


def test_a_failed_preparation_is_told_and_ends_the_launcher(live, capfd):
    status = live(prepare="raise SystemExit(3)")

    assert status == 1
    assert "`manage.py prepare` ended with 3" in capfd.readouterr().out


def test_a_failed_demo_stops_what_was_started(live, port):
    assert live(prepare="pass", demo="raise SystemExit(1)") == 1
    assert is_free(port)


def test_without_the_demo_it_just_runs(live, monkeypatch, capfd):
    monkeypatch.setattr(launch.Launcher, "_tick", _interrupted_once_running(capfd))

    assert live(prepare="pass") == 0


def _interrupted_once_running(capfd):
    tick, told = launch.Launcher._tick, []

    def interrupted(self) -> None:
        told.append(capfd.readouterr().out)
        if "Running." in "".join(told):
            signal.raise_signal(signal.SIGINT)
        tick(self)

    return interrupted


def test_children_are_looked_after_while_the_demo_runs(live, port, capfd):
    # Other tests leave children too: the web is the one that knows the port.
    kill_web = (
        "import os, signal, sys, time, urllib.request\n"
        "from pathlib import Path\n"
        "parent = str(os.getppid())\n"
        "def web():\n"
        "    for stat in Path('/proc').glob('[0-9]*/stat'):\n"
        "        try:\n"
        "            fields = stat.read_text().rsplit(')', 1)[1].split()\n"
        "            said = stat.with_name('cmdline').read_bytes()\n"
        "        except OSError:\n"
        "            continue\n"
        f"        if b'{port}' not in said: continue\n"
        "        pid = int(stat.parent.name)\n"
        "        if fields[1] == parent and pid != os.getpid() and fields[0] != 'Z':\n"
        "            return pid\n"
        "    return 0\n"
        "first = 0\n"
        "while not first: first = web()\n"
        "os.kill(first, signal.SIGKILL)\n"
        "while web() in (0, first): time.sleep(0.05)\n"
        "os.kill(int(parent), signal.SIGINT)\n"
    )

    assert live(prepare="pass", demo=kill_web) == 0
    assert "web ended with -9; starting it again" in capfd.readouterr().out


def test_every_interface_is_reached_through_the_loopback_one(monkeypatch):
    monkeypatch.setenv("PE_BIND", "0.0.0.0:8123")
    assert launch._base_url() == "http://127.0.0.1:8123"

    monkeypatch.setenv("PE_BIND", "[::1]:8123")
    assert launch._base_url() == "http://[::1]:8123"
