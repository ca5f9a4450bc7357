"""Runs the built image as a cluster would and prints what was seen; exit 0 or 1.

    python deploy/prove_image.py --store build/image IMAGE

Everything is asked of real containers: read-only root, no capability, user 10001, a
state folder that only they write. `make image` calls this after the build.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PORT = 18731
UID = 10001
READY_TIMEOUT_S = 120.0
DRAIN_TIMEOUT_S = 40.0
SECRETS = (
    "PE_SECRET_KEY",
    "PE_AUDIT_KEY",
    "PE_CHECKPOINT_KEY",
    "PE_API_KEY_PEPPER",
    "PE_TEXT_DIGEST_KEY",
    "PE_METRICS_TOKEN",
)
# What must not be found in the image: installers, compilers, fetchers.
UNWANTED = ("gcc", "cc", "g++", "make", "pip", "pip3", "curl", "wget", "git", "ssh")


class NotProved(Exception):
    """The image does not do what it promises."""


@dataclass(frozen=True, slots=True)
class Podman:
    """podman on the store of the build; ``state`` is mounted as the state folder."""

    work: Path
    image: str
    state: Path
    environment: Path

    def run(self, *arguments: str, check: bool = True, streams: bool = False) -> str:
        """What a podman command printed; NotProved when it failed and ``check``.

        ``streams`` adds standard error, on which podman also complains of its own:
        without systemd it cannot time health checks, which are run by hand here.
        """
        store = (
            "--root",
            str(self.work / "store"),
            "--runroot",
            str(self.work / "run"),
        )
        done = subprocess.run(
            ("podman", *store, "--storage-driver", "overlay", *arguments),
            env={**os.environ, "CONTAINERS_CONF": str(self.work / "containers.conf")},
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            tail = (done.stderr or done.stdout).strip()[-2000:]
            raise NotProved(f"podman {' '.join(arguments[:3])}: {tail}")
        return (done.stdout + (done.stderr if streams else "")).strip()

    def container(self, name: str, *command: str, detach: bool = False) -> str:
        """Run a command in a container of its own, as strictly as the chart does."""
        return self.run(
            "run", "--name", name, *(("--detach",) if detach else ("--rm",)),
            "--network", "host", "--read-only", "--cap-drop", "ALL",
            "--security-opt", "no-new-privileges", "--tmpfs", "/tmp:rw,size=256m",
            "--volume", f"{self.state}:/var/lib/pe",
            "--env-file", str(self.environment),
            self.image, *command,
        )  # fmt: skip


def environment_file(folder: Path) -> Path:
    """Random secrets and the address, in a file that only root reads."""
    lines = [f"{name}={secrets.token_hex(32)}" for name in SECRETS]
    lines += [
        "PE_ALLOWED_HOSTS=127.0.0.1",
        f"PE_BIND=127.0.0.1:{PORT}",
        f"PE_WORKER_METRICS_BIND=127.0.0.1:{PORT + 1}",
        "PE_WEB_WORKERS=2",
        "PROMETHEUS_MULTIPROC_DIR=/tmp/metrics",
        *(
            f"{name}={os.environ[name]}"
            for name in ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL")
            if name in os.environ
        ),
    ]
    path = folder / "environment"
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n")
    return path


def proved(claim: str, holds: bool, found: str = "") -> None:
    """Print the claim; NotProved when it does not hold."""
    if not holds:
        raise NotProved(f"{claim}: {found[-1500:] or 'no'}")
    print(f"  proved: {claim}", flush=True)


def answer_of(path: str) -> tuple[int, str]:
    """Status and body of a GET; 0 while nobody listens."""
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{PORT}{path}", timeout=5
        ) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def wait_for(holds: Callable[[], bool], timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.5)
    return False


def prove_contents(podman: Podman) -> None:
    """Who runs, what may be written, and which tools are not there."""
    identity = podman.container("pe-id", "id", "-u")
    proved(f"runs as user {UID}", identity == str(UID), identity)
    probe = (
        "import os, pathlib, shutil, sys; "
        f"found=[n for n in {UNWANTED!r} if shutil.which(n)]; "
        "found+=[str(p) for p in map(pathlib.Path, ('/', '/app', '/opt/venv', '/etc')) "
        "if os.access(p, os.W_OK)]; "
        "import importlib.util as u; found+=['pip'] if u.find_spec('pip') else []; "
        "print(','.join(found) or 'nothing')"
    )
    found = podman.container("pe-tools", "python", "-c", probe)
    proved("no build tool, and no writable folder of code", found == "nothing", found)
    # It exits 1 on an error, which container() refuses.
    podman.container("pe-check", "python", "manage.py", "check", "--deploy")
    proved("manage.py check --deploy finds no error", True)


def prove_serving(podman: Podman) -> None:
    """Prepared, alive, ready, healthy, scraped; then drained on SIGTERM."""
    said = podman.container("pe-prepare", "python", "manage.py", "prepare")
    proved(
        "migrations run; static files are part of the image",
        "nothing new" in said,
        said,
    )
    started = time.monotonic()
    podman.container("pe-web", detach=True)
    alive = wait_for(lambda: answer_of("/livez")[0] == 200, READY_TIMEOUT_S)
    proved(
        "/livez answers 200",
        alive,
        podman.run("logs", "--tail", "20", "pe-web", streams=True),
    )
    ready = wait_for(lambda: answer_of("/readyz")[0] == 200, READY_TIMEOUT_S)
    seconds = time.monotonic() - started
    status, body = answer_of("/readyz")
    proved(
        f"/readyz answers 200 after {seconds:.1f} s: {body}", ready, f"{status} {body}"
    )
    proved(
        "every readiness check holds", all(json.loads(body)["checks"].values()), body
    )
    proved("/metrics refuses without its token", answer_of("/metrics")[0] == 401)
    podman.run("healthcheck", "run", "pe-web")
    proved("HEALTHCHECK passes", True)
    prove_worker(podman)
    prove_drain(podman, "pe-web")


def prove_worker(podman: Podman) -> None:
    """One worker of the fast queues answers a ping through the broker."""
    celery = ("celery", "-A", "pe_platform.celery")
    podman.container(
        "pe-worker", *celery, "worker", "--queues", "escalation,inference",
        "--concurrency", "1", "--without-gossip", "--without-mingle", detach=True,
    )  # fmt: skip

    def answers() -> bool:
        ping = ("inspect", "ping", "--timeout", "5")
        return "pong" in podman.run("exec", "pe-worker", *celery, *ping, check=False)

    said = wait_for(answers, READY_TIMEOUT_S)
    proved(
        "a worker answers a ping",
        said,
        podman.run("logs", "--tail", "20", "pe-worker", streams=True),
    )
    podman.run("exec", "pe-worker", "python", "deploy/healthcheck.py", "--worker")
    proved("its health check passes on the port of its metrics", True)
    prove_drain(podman, "pe-worker")


def prove_drain(podman: Podman, name: str) -> None:
    started = time.monotonic()
    podman.run("stop", "--time", str(int(DRAIN_TIMEOUT_S)), name)
    code = podman.run("inspect", "--format", "{{.State.ExitCode}}", name)
    seconds = time.monotonic() - started
    proved(f"{name} drains on SIGTERM in {seconds:.1f} s, exit 0", code == "0", code)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image")
    parser.add_argument("--store", type=Path, required=True)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="pe-image-"))
    state = folder / "state"
    state.mkdir()
    os.chown(state, UID, UID)
    podman = Podman(asked.store.resolve(), asked.image, state, environment_file(folder))
    try:
        size = int(podman.run("image", "inspect", "--format", "{{.Size}}", asked.image))
        print(f"== prove: {asked.image}, {size / 1e9:.2f} GB")
        prove_contents(podman)
        prove_serving(podman)
    except NotProved as error:
        print(f"  NOT PROVED: {error}", file=sys.stderr)
        return 1
    finally:
        podman.run("rm", "--force", "--all", check=False)
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
