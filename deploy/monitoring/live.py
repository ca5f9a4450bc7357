"""From a gate that breaks to a page that arrives, with everything real on loopback.

The gateway decides requests with the platform's gates, one of which raises; its own
counters go to Prometheus, through our rules to Alertmanager and through our routes to a
webhook. Only the waits are shorter. Then the gate is mended, and the end is told too.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import yaml

HERE = Path(__file__).parent
WAIT_S = 90.0
SICK = "toxicity"
ORDINARY = "I keep waking at night and worrying about my exam."


class Pager:
    """A webhook that keeps what it was sent: status and labels of each alert."""

    def __init__(self) -> None:
        received = self.received = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = json.loads(self.rfile.read(length))
                received.extend(
                    (self.path, one["status"], one["labels"], one["annotations"])
                    for one in body["alerts"]
                )
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def paged(self, alert: str, status: str) -> bool:
        return any(
            path == "/page" and state == status and labels["alertname"] == alert
            for path, state, labels, _ in self.received
        )


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def process(log: Path, *command: str) -> Iterator[None]:
    with log.open("wb") as stream:
        child = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            child.terminate()
            child.wait(timeout=20)


def wait_for(holds: Callable[[], bool], what: str) -> float:
    """Seconds until it held; RuntimeError when it never did."""
    started = time.monotonic()
    while time.monotonic() - started < WAIT_S:
        if holds():
            return time.monotonic() - started
        time.sleep(0.2)
    raise RuntimeError(f"{what}: not within {WAIT_S:.0f} s")


class Traffic:
    """Requests through the gateway, some a second; ``broken`` breaks one gate."""

    def __init__(self) -> None:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pe_platform.settings.test")
        import django

        django.setup()
        from apps.inference.guard import PolicyGuard
        from apps.safety.assembly import gates
        from apps.safety.pipeline import GateRunner
        from apps.safety.policy import default_policy

        traffic = self
        self.broken = False

        class Sick:
            """The real gate, until it breaks."""

            def __init__(self, gate: object) -> None:
                self._gate = gate

            def __getattr__(self, name: str) -> object:
                return getattr(self._gate, name)

            def inspect(self, *arguments: object) -> object:
                if traffic.broken:
                    raise RuntimeError("the weights are gone")
                return self._gate.inspect(*arguments)

        found = [Sick(gate) if gate.name == SICK else gate for gate in gates()]
        runner = GateRunner(found, default_policy())
        self._guard = PolicyGuard(runner, is_in_force=True)
        self.stopped = threading.Event()
        self.sources: set[tuple[bool, str]] = set()

    def flow(self) -> None:
        from apps.inference.gateway import decide
        from apps.inference.metrics import count_answer
        from tests.inference.doubles import PartsDouble, asking

        while not self.stopped.wait(0.05):
            was_broken = self.broken
            parts = PartsDouble(guarding=self._guard)
            answer = decide(
                request=asking(ORDINARY, locale="en-GB"), caller_id="live", parts=parts
            )
            count_answer(answer)
            if self.broken == was_broken:
                self.sources.add((was_broken, answer.reply.source.value))


def prometheus_config(folder: Path, target: int, alertmanager: int) -> Path:
    path = folder / "prometheus.yml"
    path.write_text(
        yaml.safe_dump(
            {
                "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                "rule_files": [str(folder / "rules" / "*.yml")],
                "alerting": {
                    "alertmanagers": [
                        {"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}
                    ]
                },
                "scrape_configs": [
                    {
                        "job_name": "pe-web",
                        "static_configs": [{"targets": [f"127.0.0.1:{target}"]}],
                    }
                ],
            }
        )
    )
    return path


def page_from_broken_gate(
    folder: Path,
    alertmanager_config: Callable[[str, str], str],
    hurried: Callable[[str], str],
) -> Iterator[str]:
    """What was seen, claim by claim; RuntimeError at the first that fails."""
    from prometheus_client import start_http_server

    pager, traffic = Pager(), Traffic()
    target, am_port, prom_port = free_port(), free_port(), free_port()
    start_http_server(target, addr="127.0.0.1")
    rules = folder / "rules"
    rules.mkdir()
    for source in (HERE / "rules").glob("*.yml"):
        # Five minutes of rates would take minutes to forget the gate that was mended.
        text = hurried(source.read_text()).replace("[5m]", "[10s]")
        (rules / source.name).write_text(text)
    am_path = folder / "live-alertmanager.yml"
    config = alertmanager_config(f"{pager.url}/page", f"{pager.url}/ticket")
    am_path.write_text(
        hurried(config).replace("group_interval: 5m", "group_interval: 1s")
    )
    prometheus = prometheus_config(folder, target, am_port)
    threading.Thread(target=traffic.flow, daemon=True).start()
    with ExitStack() as stack:
        stack.enter_context(
            process(
                folder / "alertmanager.log",
                "prometheus-alertmanager",
                f"--config.file={am_path}",
                f"--storage.path={folder / 'am'}",
                f"--web.listen-address=127.0.0.1:{am_port}",
                "--cluster.listen-address=",
            )
        )
        stack.enter_context(
            process(
                folder / "prometheus.log",
                "prometheus",
                f"--config.file={prometheus}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{prom_port}",
            )
        )
        wait_for(lambda: (False, "model") in traffic.sources, "an answer of the model")
        time.sleep(8)
        if pager.paged("PEGateFailing", "firing"):
            raise RuntimeError("paged while nothing was broken")
        yield "sound gates page nobody"
        traffic.broken = True
        took = wait_for(lambda: pager.paged("PEGateFailing", "firing"), "the page")
        yield f"a broken {SICK} gate is a received page after {took:.1f} s"
        if (True, "model") in traffic.sources:
            raise RuntimeError("a model's words left while a gate was broken")
        yield "meanwhile no word of a model left"
        traffic.broken = False
        took = wait_for(lambda: pager.paged("PEGateFailing", "resolved"), "the end")
        yield f"the mended gate is told to the pager after {took:.1f} s"
        traffic.stopped.set()
