"""A group of child processes with one life: started, restarted, drained as one.

Children run in sessions of their own, so that Ctrl-C reaches only the launcher, which
drains them in order; they ask the kernel for SIGTERM should the launcher be killed, so
that none is left behind holding a port or a lease.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
# A child that dies this often inside the window is broken, not unlucky.
RESTARTS_ALLOWED = 5
RESTART_WINDOW_S = 60.0


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


def _die_with_parent() -> None:
    if os.uname().sysname == "Linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class ProcessGroup:
    """Starts, watches and drains children; ``say`` reports to the person watching."""

    def __init__(
        self, specs: Sequence[ProcessSpec], log_dir: Path, say: Callable[[str], None]
    ) -> None:
        self.specs = tuple(specs)
        self.log_dir = log_dir
        self.say = say
        self.children: list[Child] = []

    def start(self) -> None:
        self.log_dir.mkdir(parents=True, exist_ok=True)
        for spec in self.specs:
            self.children.append(Child(spec, self._spawn(spec)))

    def _spawn(self, spec: ProcessSpec) -> subprocess.Popen[bytes]:
        log = self.log_dir / f"{spec.name}.log"
        with log.open("ab") as stream:
            return subprocess.Popen(  # noqa: S603 - commands are written in this package
                spec.command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env={**os.environ, **dict(spec.environment)},
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - no threads run yet
            )

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

    def drain(self, timeout_s: float) -> bool:
        """SIGTERM to all, then SIGKILL; True when all ended by themselves."""
        living = [child for child in self.children if child.process.poll() is None]
        for child in living:
            child.process.terminate()
        deadline = time.monotonic() + timeout_s
        clean = True
        for child in living:
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.say(f"{child.spec.name} did not drain in time: killed")
                child.process.kill()
                child.process.wait()
                clean = False
        return clean
