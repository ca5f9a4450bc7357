"""A model in a process of its own, so that its library stays out of this one.

The worker gets a folder of verified files and no secret: of the environment it inherits
only what finds programs and libraries. It ends when its owner does, since its end of
the connection closes. A worker that is late or gone is replaced by the next call.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy.typing as npt

from apps.core.errors import Unavailable
from apps.models_registry.adapters import worker_wire as wire
from apps.models_registry.adapters.deadlines import remaining_s
from apps.models_registry.adapters.text_bundle import Tokens
from apps.models_registry.contracts import VerifiedBytes
from apps.models_registry.errors import ArtifactDamaged, DeadlinePassed

ROOT = Path(__file__).resolve().parents[3]
INHERITED = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
)
# How long a worker may take to import its library and load the model (seconds).
START_S = 120.0


class ModelWorker:
    """One worker process at a time for one model; one call at a time."""

    def __init__(
        self,
        module: str,
        artifacts: Mapping[str, VerifiedBytes],
        options: Mapping[str, object],
    ) -> None:
        """Starts and loads. ArtifactDamaged when the worker refuses the files."""
        self._module = module
        self._options = dict(options)
        self._lock = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = (
            tempfile.TemporaryDirectory(prefix="pe-model-")
        )
        for name, artifact in artifacts.items():
            (Path(self._folder.name) / name).write_bytes(artifact.content)
        self._digests = {name: artifact.digest for name, artifact in artifacts.items()}
        self._process: subprocess.Popen[bytes] | None = None
        self._link: Connection | None = None
        self._is_loaded = False
        self.memory_bytes = 0
        try:
            self._start()
            self._finish_start(None)
        except BaseException:
            self.close()
            raise

    def call(
        self, header: Mapping[str, object], arrays: wire.Arrays, deadline: float | None
    ) -> list[npt.NDArray[Any]]:
        """The arrays that the worker answers with.

        DeadlinePassed when it is late: it is then killed, since it cannot be told to
        stop. Unavailable when it died, or says that it failed.
        """
        wait = remaining_s(deadline)
        if not self._lock.acquire(timeout=-1 if wait is None else wait):
            raise DeadlinePassed("The model is busy with earlier requests.")
        try:
            if self._process is None or self._process.poll() is not None:
                self._start()
            if not self._is_loaded:
                self._finish_start(deadline)
            _, found = self._ask(header, arrays, deadline)
            return found
        finally:
            self._lock.release()

    def _start(self) -> None:
        if self._folder is None:
            raise Unavailable("The model was unloaded.")
        self._kill()
        ours, theirs = Pipe()
        environment = {
            name: os.environ[name] for name in INHERITED if name in os.environ
        }
        try:
            self._process = subprocess.Popen(  # noqa: S603 - a module of this package
                (sys.executable, "-m", self._module, str(theirs.fileno())),
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                # Ctrl-C and a group's SIGTERM are for the owner, who drains first.
                start_new_session=True,
            )
        finally:
            theirs.close()
        self._link, self._is_loaded = ours, False
        header = {
            "folder": self._folder.name,
            "digests": self._digests,
            "options": self._options,
        }
        wire.send(ours, header)

    def _finish_start(self, deadline: float | None) -> None:
        """Wait for the model to be loaded; one that is only slow goes on loading."""
        limit = remaining_s(deadline)
        link = self._link
        if link is None or not link.poll(START_S if limit is None else limit):
            raise DeadlinePassed("The model is still loading.")
        answer = self._receive(link)[0]
        if "error" in answer:
            self._kill()
            raise ArtifactDamaged(f"The model does not load: {answer['error']}.")
        self.memory_bytes, self._is_loaded = int(answer["memory_bytes"]), True

    # Any: a JSON object, and arrays of the model's dtypes.
    def _ask(
        self, header: Mapping[str, object], arrays: wire.Arrays, deadline: float | None
    ) -> tuple[dict[str, Any], list[npt.NDArray[Any]]]:
        link = self._link
        if link is None:
            raise Unavailable("The model was unloaded.")
        try:
            wire.send(link, header, arrays)
            is_there = link.poll(remaining_s(deadline))
        except OSError as error:
            raise Unavailable("The model's process has ended.") from error
        if not is_there:
            self._kill()
            raise DeadlinePassed("The time for this prediction is over.")
        answer, found = self._receive(link)
        if "error" in answer:
            raise Unavailable(f"The model failed: {answer['error']}.")
        return answer, found

    # Any: as ``_ask``.
    def _receive(
        self, link: Connection
    ) -> tuple[dict[str, Any], list[npt.NDArray[Any]]]:
        try:
            return wire.receive(link)
        except (EOFError, OSError) as error:
            raise Unavailable("The model's process has ended.") from error

    def _kill(self) -> None:
        process, link = self._process, self._link
        self._process = self._link = None
        self._is_loaded = False
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if link is not None:
            link.close()

    def close(self) -> None:
        """End the worker, also in the middle of a call; twice is fine."""
        folder, self._folder = self._folder, None
        process = self._process
        if process is not None:
            # A call under way sees the end of its connection and raises.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        with self._lock:
            self._kill()
        self.memory_bytes = 0
        if folder is not None:
            folder.cleanup()


class WorkerLogits:
    """Logits from a worker that takes ids, mask and types."""

    def __init__(self, worker: ModelWorker) -> None:
        self._worker = worker

    # Any: float32.
    def logits(self, tokens: Tokens, deadline: float | None) -> npt.NDArray[Any]:
        arrays = [tokens.ids, tokens.mask, tokens.types]
        return self._worker.call({}, arrays, deadline)[0]

    def close(self) -> None:
        self._worker.close()

    @property
    def memory_bytes(self) -> int:
        return self._worker.memory_bytes
