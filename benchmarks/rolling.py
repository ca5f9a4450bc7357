"""A rolling restart behind nginx under load: no request may fail. `make rolling`.

Two instances share one database. For each in turn: nginx stops sending it requests,
SIGTERM lets it finish, `manage.py prepare` runs as before a new release, a new process
starts, and only when its /readyz answers 200 does nginx send it requests again. Needs
nginx (``apt-get install nginx-light``). Prints JSON; exit 1 when a request failed.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.chaos_state import free_port  # noqa: E402
from pe_platform.local_env import SECRETS  # noqa: E402

READY_TIMEOUT_S = 120.0
DRAIN_TIMEOUT_S = 40.0
# nginx lets its old workers finish what they began (seconds until none is left).
RELOAD_S = 2.0
TEXT = "I keep waking at night and worrying about my exam."
CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream platform {{ {servers} }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://platform;
      proxy_set_header Host $host;
      # A request that was sent is never sent twice by the proxy.
      proxy_next_upstream error timeout;
    }}
  }}
}}
"""


@dataclass
class Instance:
    """One gunicorn on a port of its own."""

    number: int
    port: int
    environment: dict[str, str]
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = (self.folder / f"web-{self.number}.log").open("ab")
        environment = {
            **self.environment,
            "PE_BIND": f"127.0.0.1:{self.port}",
            "PE_AUDIT_CHAIN": f"web{self.number}",
        }
        self.process = subprocess.Popen(
            (sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py"),
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        log.close()

    def wait_ready(self) -> float:
        """Seconds until /readyz answered 200."""
        started = time.monotonic()
        while time.monotonic() - started < READY_TIMEOUT_S:
            try:
                url = f"http://127.0.0.1:{self.port}/readyz"
                with urllib.request.urlopen(url, timeout=5) as response:
                    if response.status == 200:
                        return time.monotonic() - started
            except OSError:
                time.sleep(0.2)
        sys.exit(f"instance {self.number} was not ready within {READY_TIMEOUT_S} s")

    def drain(self) -> float:
        """Seconds from SIGTERM to the end of the last process."""
        assert self.process is not None
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(DRAIN_TIMEOUT_S)
        return time.monotonic() - started


@dataclass
class Proxy:
    """nginx in front of whichever instances are named."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def _write(self, ports: list[int]) -> Path:
        servers = " ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in ports)
        path = self.folder / "nginx.conf"
        path.write_text(
            CONFIG.format(folder=self.folder, servers=servers, port=self.port)
        )
        return path

    def start(self, ports: list[int]) -> None:
        path = self._write(ports)
        self.process = subprocess.Popen(("nginx", "-c", str(path)))

    def send_to(self, ports: list[int]) -> None:
        """Send new requests to these alone; those under way are finished."""
        assert self.process is not None
        self._write(ports)
        self.process.send_signal(signal.SIGHUP)
        time.sleep(RELOAD_S)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait()


@dataclass
class Load:
    """Programs that ask without a pause, each answer counted by what it was."""

    port: int
    key: str
    model: str
    stopped: threading.Event = field(default_factory=threading.Event)
    found: Counter[str] = field(default_factory=Counter)
    slowest_ms: float = 0.0

    def start(self, programs: int) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._ask) for _ in range(programs)]
        for thread in threads:
            thread.start()
        return threads

    def _ask(self) -> None:
        body = json.dumps({"input": {"text": TEXT, "locale": "en-GB"}})
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/json",
        }
        while not self.stopped.is_set():
            started = time.monotonic()
            self.found[self._one(body, headers)] += 1
            self.slowest_ms = max(
                self.slowest_ms, (time.monotonic() - started) * 1000.0
            )

    def _one(self, body: str, headers: dict[str, str]) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            path = f"/api/v1/models/{self.model}/predict"
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, ValueError, http.client.HTTPException) as error:
            return type(error).__name__
        finally:
            connection.close()
        return f"{response.status} {answer.get('decision', answer.get('code'))}"


def environment_of(folder: Path) -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PE_", "DJANGO_"))
    }
    return {
        **inherited,
        **{name: secrets.token_hex(32) for name in SECRETS},
        "PE_ENVIRONMENT": "local",
        "PE_ENV_FILE": os.devnull,
        "PE_STATE_DIR": str(folder / "state"),
        "PE_ALLOWED_HOSTS": "127.0.0.1",
        "PE_WEB_WORKERS": "2",
        "PE_LOG_LEVEL": "ERROR",
    }


def prepared(environment: dict[str, str]) -> tuple[str, str]:
    """A key and the name of the model that it may ask."""
    done = subprocess.run(
        (sys.executable, "benchmarks/serving_state.py"),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    return told["key"], told["model"]


def prepare_release(environment: dict[str, str]) -> None:
    subprocess.run(
        (sys.executable, "manage.py", "prepare"),
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
    )


def roll(instances: list[Instance], proxy: Proxy) -> list[dict[str, float]]:
    """Replace one instance after the other; how long each step took."""
    told = []
    for old in instances:
        others = [each.port for each in instances if each is not old]
        proxy.send_to(others)
        drained = old.drain()
        prepare_release(old.environment)
        old.start()
        ready = old.wait_ready()
        proxy.send_to([each.port for each in instances])
        told.append({"drained_s": round(drained, 1), "ready_s": round(ready, 1)})
    return told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=int, default=4)
    asked = parser.parse_args()
    if not shutil.which("nginx"):
        sys.exit("nginx is needed: apt-get install --no-install-recommends nginx-light")
    folder = Path(tempfile.mkdtemp(prefix="pe-rolling-"))
    folder.chmod(0o755)
    environment = environment_of(folder)
    instances = [Instance(n, free_port(), environment, folder) for n in (1, 2)]
    proxy = Proxy(folder, free_port())
    threads: list[threading.Thread] = []
    load = None
    try:
        key, model = prepared(environment)
        for each in instances:
            each.start()
            each.wait_ready()
        proxy.start([each.port for each in instances])
        time.sleep(RELOAD_S)
        load = Load(proxy.port, key, model)
        threads = load.start(asked.programs)
        time.sleep(3)
        steps = roll(instances, proxy)
        time.sleep(3)
    finally:
        if load is not None:
            load.stopped.set()
        for thread in threads:
            thread.join()
        proxy.stop()
        for each in instances:
            if each.process is not None and each.process.poll() is None:
                each.drain()
        shutil.rmtree(folder)
    # Any decision is an answer: a gate that is late on a busy machine gives its own.
    failed = {what: n for what, n in load.found.items() if what[:4] != "200 "}
    print(
        json.dumps(
            {
                "requests": load.found.total(),
                "failed": failed,
                "answers": dict(load.found),
                "slowest_ms": round(load.slowest_ms),
                "steps": steps,
            }
        )
    )
    return 1 if failed or not load.found else 0


if __name__ == "__main__":
    sys.exit(main())
