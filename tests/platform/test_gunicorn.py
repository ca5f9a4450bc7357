"""The web as it is deployed: gunicorn with our configuration, and a slow client."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.chaos_state import free_port
from pe_platform.local_env import SECRETS

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 90.0
BODY = b"username=nobody&password=nothing"
# With a CSRF cookie the body is read before the request can be refused.
HEAD = (
    b"POST /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Cookie: csrftoken=" + b"x" * 32 + b"\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: " + str(len(BODY)).encode() + b"\r\n\r\n"
)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def web(tmp_path: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PE_", "DJANGO_", "DATABASE_URL", "REDIS_URL"))
    }
    secrets = {name: f"{name.lower():x<40}" for name in SECRETS}
    environment = {
        **inherited,
        **secrets,
        "PE_ENVIRONMENT": "local",
        "PE_ALLOWED_HOSTS": "127.0.0.1",
        "PE_ENV_FILE": os.devnull,
        "PE_STATE_DIR": str(tmp_path),
        "PE_BIND": f"127.0.0.1:{port}",
        "PE_WEB_WORKERS": "1",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
    }
    (tmp_path / "metrics").mkdir()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            (sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py"),
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
    yield process
    if process.poll() is None:
        process.kill()
        process.wait()


def _until_alive(web: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and web.poll() is None:
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            link.request("GET", "/livez", headers={"Host": "127.0.0.1"})
            if link.getresponse().status == 200:
                return
        except OSError:
            os.sched_yield()
        finally:
            link.close()
    pytest.fail("gunicorn did not start")


@pytest.mark.slow
def test_sigterm_lets_a_request_under_way_finish(web, port, tmp_path):
    _until_alive(web, port)

    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(HEAD + BODY[:5])
        _until_taken(port, client.getsockname()[1])
        web.send_signal(signal.SIGTERM)
        _until_refused(port)
        client.sendall(BODY[5:])
        answer = client.recv(4096)

    assert answer.startswith(b"HTTP/1.1 403 "), answer[:200]
    assert web.wait(30) == 0, (tmp_path / "log").read_text()[-2000:]


def _until_taken(port: int, client_port: int) -> None:
    """The worker has accepted our connection: until then its end has no inode."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            ends = [int(end.rpartition(":")[2], 16) for end in fields[1:3]]
            if ends == [port, client_port] and fields[9] != "0":
                return
        os.sched_yield()
    pytest.fail("the request was not taken")


def _until_refused(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            return
    pytest.fail("the port was not closed")
