"""`python -m pe_platform.launch`: prepare, start, show the main job, stay up.

Ctrl-C or SIGTERM drains everything. A second launcher on the same state folder is
refused; a second run after the first ended changes nothing that exists.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import IO

from pe_platform.launch.plan import process_plan
from pe_platform.launch.processes import BrokenChild, ProcessGroup
from pe_platform.local_env import ensure_local_env

BASE_DIR = Path(__file__).resolve().parent.parent.parent
READY_TIMEOUT_S = 120.0
DRAIN_TIMEOUT_S = 30.0
PREPARATION = (
    ("database migrations", ("migrate", "--verbosity", "0")),
    ("roles", ("sync_roles",)),
    ("tiers", ("sync_tiers",)),
    ("static files", ("collectstatic", "--noinput", "--verbosity", "0")),
)


class Stopped(Exception):
    """Somebody asked the launcher to stop."""


def say(message: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {message}", flush=True)  # noqa: T201


def _manage(*arguments: str, chain: str = "launch") -> None:
    environment = {**os.environ, "PE_SERVICE": chain, "PE_AUDIT_CHAIN": chain}
    subprocess.run(  # noqa: S603 - arguments are written in this file
        (sys.executable, "manage.py", *arguments),
        cwd=BASE_DIR,
        env=environment,
        check=True,
    )


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


def _only_launcher(state_dir: Path) -> IO[str]:
    lock = (state_dir / "launch.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("Another `make run` is using this folder. Stop it with Ctrl-C first.")
    return lock


def _address() -> tuple[str, int]:
    host, _, port = os.environ.get("PE_BIND", "127.0.0.1:8000").rpartition(":")
    return host, int(port)


def _refuse_taken_port() -> None:
    host, port = _address()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            sys.exit(
                f"{host}:{port} is in use. Free it, or choose another address: "
                "PE_BIND=127.0.0.1:8001 make run"
            )


def _wait_until_ready(group: ProcessGroup) -> None:
    host, port = _address()
    url = f"http://{host}:{port}/readyz"
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        group.watch()
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise BrokenChild(f"{url} was not ready in time; see the logs")


def _serve(group: ProcessGroup, demo: bool) -> None:
    group.start()
    _wait_until_ready(group)
    say("web, workers and beat are up")
    if demo:
        host, port = _address()
        _manage("demo", "--url", f"http://{host}:{port}", chain="demo")
    say("Running. Ctrl-C stops everything.")
    while True:
        group.watch()
        time.sleep(1)


def main() -> int:
    os.chdir(BASE_DIR)
    ensure_local_env(BASE_DIR)
    state_dir = Path(os.environ.get("PE_STATE_DIR") or BASE_DIR / "var")
    state_dir.mkdir(parents=True, exist_ok=True)
    (state_dir / "metrics").mkdir(exist_ok=True)
    lock = _only_launcher(state_dir)
    _refuse_taken_port()
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    group = ProcessGroup(process_plan(BASE_DIR, state_dir), state_dir / "log", say)
    failed = False
    try:
        for title, arguments in PREPARATION:
            say(title)
            _manage(*arguments)
        _serve(group, demo="--no-demo" not in sys.argv)
    except Stopped:
        say("stopping: requests and tasks under way may finish")
    except (BrokenChild, subprocess.CalledProcessError) as error:
        say(f"stopping: {error}")
        failed = True
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    clean = group.drain(DRAIN_TIMEOUT_S)
    say("stopped" if clean else "stopped, not cleanly")
    lock.close()
    return 1 if failed or not clean else 0


if __name__ == "__main__":
    sys.exit(main())
