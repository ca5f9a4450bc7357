"""The drill: kill -9 each process while the demo runs; it must end as if nothing had.

    .venv/bin/python benchmarks/chaos.py [CASE ...]

Each case starts `make run`'s launcher on a fresh state folder (SQLite, filesystem
broker), kills one process at a moment when it matters, lets the launcher go on or
starts it again, and compares what stands at the end with an undisturbed run. Prints one
JSON object a case; exits 1 when a case failed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos_state import Rows, free_port, is_free, processes, victim

BASE = Path(__file__).resolve().parent.parent
RUN_TIMEOUT_S = 600.0
Moment = Callable[[Rows], bool]


@dataclass(frozen=True)
class Kill:
    """Whom to kill, and when."""

    service: str
    part: str
    when: Moment
    how: signal.Signals = signal.SIGKILL


@dataclass(frozen=True)
class Case:
    name: str
    kills: tuple[Kill, ...]
    prepared: bool = True


def at(what: str, least: int) -> Moment:
    return lambda rows: rows.count(what) >= least


def request_under_way(rows: Rows) -> bool:
    return rows.open_requests() > 0


CASES = (
    Case("training-child", (Kill("worker-training", "child", at("checkpoints", 1)),)),
    Case("training-parent", (Kill("worker-training", "parent", at("checkpoints", 1)),)),
    Case("evaluating-child", (Kill("worker-training", "child", at("reports", 1)),)),
    Case(
        "steady-and-beat",
        (
            Kill("worker-steady", "child", at("signoffs", 2)),
            Kill("beat", "parent", at("signoffs", 4)),
            Kill("worker-steady", "parent", at("checkpoints", 1)),
        ),
    ),
    Case(
        "fast",
        (
            Kill("worker-fast", "child", at("signoffs", 2)),
            Kill("worker-fast", "parent", at("escalations", 1)),
        ),
    ),
    Case("web-child", (Kill("web", "child", request_under_way),)),
    Case("web-parent", (Kill("web", "parent", request_under_way),)),
    Case("demo", (Kill("demo", "parent", at("signoffs", 3)),)),
    Case("demo-late", (Kill("demo", "parent", at("escalations", 1)),)),
    Case("launcher", (Kill("launcher", "parent", at("checkpoints", 1)),)),
    Case(
        "interrupted",
        (Kill("launcher", "parent", at("checkpoints", 1), signal.SIGINT),),
    ),
    Case("prepare", (Kill("prepare", "parent", at("migrations", 20)),), prepared=False),
)


class Drill:
    """One state folder and the launchers that were started on it."""

    def __init__(self, state: Path, env_file: Path) -> None:
        self.state = state
        self.port = free_port()
        self.rows = Rows(state)
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("PE_")},
            "PE_STATE_DIR": str(state),
            "PE_ENV_FILE": str(env_file),
            "PE_BIND": f"127.0.0.1:{self.port}",
            "PE_CODE_REVISION": "drill",
            # Shorter than by default, so that a lost worker is missed sooner.
            "PE_TRAINING_LEASE_S": "8",
            "PE_TRAINING_HEARTBEAT_S": "2",
        }
        self.outputs: list[Path] = []
        self.problems: list[str] = []

    def launch(self) -> subprocess.Popen[bytes]:
        output = self.state / f"launch-{len(self.outputs)}.out"
        self.outputs.append(output)
        with output.open("wb") as stream:
            return subprocess.Popen(
                [sys.executable, "-u", "-m", "pe_platform.launch"],
                cwd=BASE,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=BASE,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def printed(self, which: int = -1) -> str:
        return self.outputs[which].read_text(errors="replace")

    def run(self, kills: tuple[Kill, ...]) -> None:
        """Launch, kill at each moment, launch again whenever the launcher ended."""
        waiting = list(kills)
        launcher = self.launch()
        deadline = time.monotonic() + RUN_TIMEOUT_S
        while "Running. Ctrl-C" not in self.printed():
            if time.monotonic() > deadline:
                self.problems.append("did not complete in time")
                break
            if waiting and waiting[0].when(self.rows) and self._kill(waiting[0]):
                waiting.pop(0)
            if launcher.poll() is not None:
                if len(self.outputs) > len(kills):
                    self.problems.append("ended when nothing was killed")
                    break
                launcher = self.launch()
            time.sleep(0.01 if waiting else 0.2)
        if waiting:
            self.problems.append(f"{len(waiting)} moments did not come")
        self._stop(launcher)

    def _kill(self, kill: Kill) -> bool:
        pid = victim(self.state, kill.service, kill.part)
        if pid is None:
            return False
        os.kill(pid, kill.how)
        return True

    def _stop(self, launcher: subprocess.Popen[bytes]) -> None:
        """As Ctrl-C in a terminal: SIGINT to the foreground process group."""
        if launcher.poll() is None:
            os.killpg(launcher.pid, signal.SIGINT)
        try:
            code = launcher.wait(90)
        except subprocess.TimeoutExpired:
            os.killpg(launcher.pid, signal.SIGKILL)
            code = launcher.wait()
        if code != 0:
            self.problems.append(f"the launcher ended with {code} on Ctrl-C")
        if left := processes(self.state):
            self.problems.append(f"left behind: {sorted(left.values())}")
        if not is_free(self.port):
            self.problems.append("the port is still taken")

    def judge(self, reference: dict[str, Any] | None) -> None:
        verified = self.manage("verify_audit")
        if verified.returncode:
            self.problems.append(f"verify_audit: {verified.stderr.strip()[-200:]}")
        outcome = self.rows.outcome()
        if outcome["runs"] != [("succeeded",)]:
            self.problems.append(f"runs: {outcome['runs']}")
        for name, value in (reference or {}).items():
            if outcome[name] != value:
                self.problems.append(f"{name} differ from an undisturbed run")
        text = self.printed()
        prefixes = self.rows.live_key_prefixes()
        if len(prefixes) != 1 or f"{prefixes[0]}_" not in text:
            self.problems.append(f"live keys {prefixes} are not the one printed")
        if text.count("shown once)") != 1:
            self.problems.append("no passwords printed in the run that completed")


def run_case(case: Case, folder: Path, reference: dict[str, Any] | None) -> Drill:
    state, template = folder / case.name, folder / "template"
    if case.prepared:
        shutil.copytree(template, state)
    else:
        state.mkdir()
    drill = Drill(state, folder / "env")
    started = time.monotonic()
    drill.run(case.kills)
    seconds = time.monotonic() - started
    drill.judge(reference)
    printed = [drill.printed(n) for n in range(len(drill.outputs))]
    result = {
        "case": case.name,
        "seconds": round(seconds, 1),
        "launches": len(printed),
        "restarts": sum(text.count("starting it again") for text in printed),
        "verdict": drill.problems or "ok",
    }
    print(json.dumps(result), flush=True)
    return drill


def main() -> int:
    wanted = sys.argv[1:]
    cases = [case for case in CASES if not wanted or case.name in wanted]
    folder = Path(tempfile.mkdtemp(prefix="drill-"))
    (folder / "template").mkdir()
    prepared = Drill(folder / "template", folder / "env").manage("prepare")
    if prepared.returncode:
        sys.exit(prepared.stderr)
    undisturbed = run_case(Case("undisturbed", ()), folder, None)
    reference = undisturbed.rows.outcome()
    drills = [undisturbed, *(run_case(case, folder, reference) for case in cases)]
    failed = any(drill.problems for drill in drills)
    if failed:
        print(f"State folders and logs: {folder}", file=sys.stderr)
    else:
        shutil.rmtree(folder)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
