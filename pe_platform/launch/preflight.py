"""What must hold before anything is started, each refusal in words a newcomer can use.

Nothing here changes a row; it reads the environment, opens a lock and tries a port.
"""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from django.core.exceptions import ImproperlyConfigured

from pe_platform.local_env import ensure_local_env

# How long children of a killed launcher may take to drain (seconds).
LEFTOVERS_TIMEOUT_S = 45.0


def load_settings(base_dir: Path) -> Path:
    """The state folder, once .env and settings were read without a complaint."""
    try:
        ensure_local_env(base_dir)
        from django.conf import settings

        return Path(settings.PE_STATE_DIR)
    except ImproperlyConfigured as error:
        sys.exit(f"The settings cannot be used: {error}")
    except OSError as error:
        sys.exit(f"The settings cannot be read: {error}")


def name_revision(base_dir: Path) -> None:
    """Put the checked-out revision where manifests look for it, if nobody said it."""
    if os.environ.get("PE_CODE_REVISION"):
        return
    try:
        found = subprocess.run(
            ("git", "rev-parse", "HEAD"),  # noqa: S607 - whichever git is installed
            cwd=base_dir,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    if found.returncode == 0:
        os.environ["PE_CODE_REVISION"] = found.stdout.strip()


def only_launcher(state_dir: Path, say: Callable[[str], None]) -> IO[str]:
    """The lock of the state folder, held until this process and its children end.

    Exits when another launcher holds it, or when the folder cannot be written.
    """
    try:
        (state_dir / "metrics").mkdir(parents=True, exist_ok=True)
        lock = (state_dir / "launch.lock").open("a+")
    except OSError as error:
        sys.exit(
            f"The state folder {state_dir} cannot be written: {error.strerror}. "
            "Set PE_STATE_DIR to a folder of your own."
        )
    try:
        _wait_for_lock(lock, say)
    except SystemExit:
        lock.close()
        raise
    lock.seek(0)
    lock.truncate()
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def _wait_for_lock(lock: IO[str], say: Callable[[str], None]) -> None:
    deadline, told = time.monotonic() + LEFTOVERS_TIMEOUT_S, False
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(lock)
            if _is_alive(holder):
                sys.exit(
                    f"Another `make run` (process {holder}) is using this folder. "
                    "Stop it with Ctrl-C first."
                )
            if time.monotonic() > deadline:
                sys.exit("Processes of a killed `make run` do not end: stop them.")
            if not told:
                say("waiting for the processes of a killed run to end")
                told = True
            time.sleep(0.5)
        else:
            return


def _holder(lock: IO[str]) -> int:
    lock.seek(0)
    text = lock.read().strip()
    return int(text) if text.isdigit() else 0


def _is_alive(pid: int) -> bool:
    if not pid:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def bind_address() -> tuple[str, int]:
    """Host and port that gunicorn will listen on; exits when PE_BIND is neither."""
    text = os.environ.get("PE_BIND") or "127.0.0.1:8000"
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        sys.exit(f"PE_BIND={text!r} is not an address such as 127.0.0.1:8000.")
    return host.strip("[]"), int(port)


def refuse_taken_port() -> None:
    host, port = bind_address()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            sys.exit(
                f"{host}:{port} cannot be used ({error.strerror}). Free it, or choose "
                "another address: PE_BIND=127.0.0.1:8001 make run"
            )
