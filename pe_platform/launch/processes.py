"""A group of child processes with one life: started, restarted, drained as one.

Children run in sessions of their own, so that Ctrl-C reaches only the launcher, which
drains them; they ask the kernel for SIGTERM should the launcher be killed, and inherit
its lock, so that none is left behind holding a port or a lease, and the next launcher
waits for the last of them.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pe_platform.lifeline import end_with_parent

# A child that dies this often inside the window is broken, not unlucky.
RESTARTS_ALLOWED = 5
RESTART_WINDOW_S = 60.0
POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One child: its name, its command and what it adds to the environment."""

    name: str
    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Child:
    spec: ProcessSpec
    process: subprocess.Popen[bytes]
    restarts: list[float] = field(default_factory=list)


class BrokenChild(Exception):
    """A child keeps dying; its log says why."""


def spawn(
    spec: ProcessSpec, *, lock: IO[str] | None = None, output: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own; it ends when this process does.

    It holds ``lock`` open for as long as it lives. Without ``output`` it writes where
    this process does.
    """
    return subprocess.Popen(  # noqa: S603 - commands are written in this package
        spec.command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        env={**os.environ, **dict(spec.environment)},
        start_new_session=True,
        preexec_fn=end_with_parent,  # noqa: PLW1509 - no threads run yet
        pass_fds=(lock.fileno(),) if lock else (),
    )


class ProcessGroup:
    """Starts, watches and drains children; ``say`` reports to the person watching."""

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        log_dir: Path,
        say: Callable[[str], None],
        lock: IO[str] | None = None,
    ) -> None:
        self.specs = tuple(specs)
        self.log_dir = log_dir
        self.say = say
        self.lock = lock
        self.children: list[Child] = []

    def start(self) -> None:
        self.log_dir.mkdir(parents=True, exist_ok=True)
        for spec in self.specs:
            self.children.append(Child(spec, self._spawn(spec)))

    def _spawn(self, spec: ProcessSpec) -> subprocess.Popen[bytes]:
        with (self.log_dir / f"{spec.name}.log").open("ab") as stream:
            return spawn(spec, lock=self.lock, output=stream)

    def watch(self) -> None:
        """Restart what died; BrokenChild when one dies again and again."""
        for child in self.children:
            code = child.process.poll()
            if code is None:
                continue
            now = time.monotonic()
            recent = [at for at in child.restarts if now - at < RESTART_WINDOW_S]
            if len(recent) >= RESTARTS_ALLOWED:
                log = self.log_dir / f"{child.spec.name}.log"
                raise BrokenChild(f"{child.spec.name} keeps dying; see {log}")
            self.say(f"{child.spec.name} ended with {code}; starting it again")
            child.restarts = [*recent, now]
            child.process = self._spawn(child.spec)

    def drain(self, timeout_s: float, hurried: Callable[[], bool] = bool) -> bool:
        """SIGTERM to all, then SIGKILL; True when all ended by themselves.

        ``hurried`` says whether the person watching has asked a second time.
        """
        living = [child for child in self.children if child.process.poll() is None]
        for child in living:
            child.process.terminate()
        deadline = time.monotonic() + timeout_s
        while living and time.monotonic() < deadline and not hurried():
            time.sleep(POLL_S)
            living = [child for child in living if child.process.poll() is None]
        for child in living:
            self.say(f"{child.spec.name} did not drain in time: killed")
            child.process.kill()
            child.process.wait()
        return not living
