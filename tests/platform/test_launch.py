"""The launcher's process group, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pe_platform.launch.plan import WORKER_GROUPS, process_plan
from pe_platform.launch.processes import (
    RESTARTS_ALLOWED,
    BrokenChild,
    ProcessGroup,
    ProcessSpec,
)

DEADLINE_S = 20.0


def sleeper(name: str = "sleeper", code: str = "") -> ProcessSpec:
    script = f"import signal, sys, time\n{code}\ntime.sleep(60)"
    return ProcessSpec(name, (sys.executable, "-c", script))


def until(condition) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "gave up waiting"
        os.sched_yield()


@pytest.fixture
def group(tmp_path: Path):
    made: list[ProcessGroup] = []

    def make(*specs: ProcessSpec) -> ProcessGroup:
        new = ProcessGroup(specs, tmp_path, said.append)
        made.append(new)
        new.start()
        return new

    said: list[str] = []
    make.said = said
    yield make
    for each in made:
        each.drain(5)


def test_a_killed_child_is_started_again(group):
    running = group(sleeper())
    first = running.children[0].process

    first.kill()
    first.wait()
    running.watch()

    assert running.children[0].process.pid != first.pid
    assert running.children[0].process.poll() is None
    assert any("starting it again" in line for line in group.said)


def test_a_child_that_keeps_dying_stops_the_launcher(group):
    running = group(
        ProcessSpec("broken", (sys.executable, "-c", "raise SystemExit(3)"))
    )

    with pytest.raises(BrokenChild, match="broken keeps dying"):
        for _ in range(RESTARTS_ALLOWED + 1):
            running.children[0].process.wait()
            running.watch()


def test_drain_lets_children_finish(group, tmp_path):
    done = tmp_path / "done"
    ready = tmp_path / "ready"
    code = (
        "def finish(*_):\n"
        f"    open({str(done)!r}, 'w').close()\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, finish)\n"
        f"open({str(ready)!r}, 'w').close()"
    )
    running = group(sleeper(code=code))
    until(ready.exists)

    clean = running.drain(DEADLINE_S)

    assert clean
    assert done.exists()


def test_drain_kills_what_will_not_end_and_says_so(group, tmp_path):
    ready = tmp_path / "ready"
    code = (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"open({str(ready)!r}, 'w').close()"
    )
    running = group(sleeper("stubborn", code))
    until(ready.exists)

    clean = running.drain(0.2)

    assert not clean
    assert running.children[0].process.returncode == -signal.SIGKILL
    assert any("stubborn did not drain" in line for line in group.said)


def test_children_die_with_a_killed_launcher(tmp_path):
    pid_file = tmp_path / "pid"
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from pe_platform.launch.processes import ProcessGroup, ProcessSpec\n"
        "code = 'import time; time.sleep(60)'\n"
        "spec = ProcessSpec('child', (sys.executable, '-c', code))\n"
        f"group = ProcessGroup([spec], Path({str(tmp_path)!r}), print)\n"
        "group.start()\n"
        f"Path({str(pid_file)!r}).write_text(str(group.children[0].process.pid))\n"
        "time.sleep(60)\n"
    )
    launcher = subprocess.Popen([sys.executable, "-c", script])
    until(lambda: pid_file.exists() and pid_file.read_text())
    child = int(pid_file.read_text())

    launcher.kill()
    launcher.wait()

    until(lambda: not _is_running(child))
    assert not _is_running(child)


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_every_queue_has_exactly_one_worker_group(settings):
    served = [queue for queues in WORKER_GROUPS.values() for queue in queues]

    assert sorted(served) == sorted(settings.PE_QUEUES)


def test_escalations_share_no_worker_with_training():
    groups = [set(queues) for queues in WORKER_GROUPS.values()]

    assert not any({"escalation", "training"} <= group for group in groups)


def test_the_plan_gives_each_process_a_chain_of_its_own(tmp_path):
    chains = [
        dict(spec.environment)["PE_AUDIT_CHAIN"]
        for spec in process_plan(tmp_path, tmp_path)
    ]

    assert len(set(chains)) == len(chains)
