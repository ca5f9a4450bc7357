"""`python -m pe_platform.launch`: prepare, start, show the main job, stay up.

Ctrl-C or SIGTERM drains everything. A second launcher on the same state folder is
refused; a second run after the first ended changes nothing that exists.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import IO

from pe_platform.launch.plan import command_spec, process_plan
from pe_platform.launch.preflight import (
    bind_address,
    load_settings,
    name_revision,
    only_launcher,
    refuse_taken_port,
)
from pe_platform.launch.processes import BrokenChild, ProcessGroup, spawn

BASE_DIR = Path(__file__).resolve().parent.parent.parent
READY_TIMEOUT_S = 180.0
DRAIN_TIMEOUT_S = 30.0
POLL_S = 0.2


class Stopped(Exception):
    """Somebody asked the launcher to stop."""


class StepFailed(Exception):
    """A command that the launcher waits for did not end well."""


def say(message: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {message}", flush=True)  # noqa: T201


class Launcher:
    """One life of the platform on this machine, from preparation to drained."""

    def __init__(self, state_dir: Path, lock: IO[str]) -> None:
        self.lock = lock
        self.asked = 0
        self.group = ProcessGroup(
            process_plan(BASE_DIR, state_dir), state_dir / "log", say, lock
        )
        # The handlers only count: what they interrupt always finishes.
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGINT, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked += 1

    def live(self, demo: bool) -> int:
        """Run until asked to stop; the exit status."""
        try:
            well = self._run(demo)
        finally:
            clean = self.group.drain(DRAIN_TIMEOUT_S, lambda: self.asked > 1)
            say("stopped" if clean else "stopped, not cleanly")
        return 0 if well and clean else 1

    def _run(self, demo: bool) -> bool:
        """Until somebody asks to stop, which is well, or something fails."""
        try:
            self._command("prepare")
            self.group.start()
            self._wait_until_ready()
            say("web, workers and beat are up")
            if demo:
                self._command("demo", "--url", _base_url())
            say("Running. Ctrl-C stops everything.")
            while True:
                self._tick()
        except Stopped:
            say("stopping: requests and tasks under way may finish")
            return True
        except (BrokenChild, StepFailed) as error:
            say(f"stopping: {error}")
            return False

    def _tick(self) -> None:
        """Look after the children for a moment; Stopped when somebody asked."""
        if self.asked:
            raise Stopped
        self.group.watch()
        time.sleep(POLL_S)

    def _command(self, name: str, *arguments: str) -> None:
        """Run a management command to its end, looking after the children meanwhile."""
        process = spawn(command_spec(BASE_DIR, name, *arguments), lock=self.lock)
        try:
            while process.poll() is None:
                self._tick()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        if process.returncode:
            raise StepFailed(f"`manage.py {name}` ended with {process.returncode}")

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not _is_ready():
            if time.monotonic() > deadline:
                raise StepFailed(f"{_base_url()}/readyz was not ready; see the logs")
            self._tick()


def _base_url() -> str:
    host, port = bind_address()
    # Every address of the machine is reached through the loopback one.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_ready() -> bool:
    try:
        with urllib.request.urlopen(f"{_base_url()}/readyz", timeout=5):  # noqa: S310
            return True
    except (urllib.error.URLError, OSError):
        return False


def main() -> int:
    os.chdir(BASE_DIR)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pe_platform.settings")
    state_dir = load_settings(BASE_DIR)
    bind_address()
    name_revision(BASE_DIR)
    lock = only_launcher(state_dir, say)
    refuse_taken_port()
    return Launcher(state_dir, lock).live(demo="--no-demo" not in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
