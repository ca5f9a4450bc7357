"""One ONNX graph on ONNX Runtime: arrays in, arrays out, checked against its names."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt
import onnxruntime

from apps.core.errors import Unavailable
from apps.models_registry.adapters.deadlines import WATCHDOG, remaining_s

Arrays = dict[str, npt.NDArray[Any]]  # Any: dtypes are the graph's
CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
logger = logging.getLogger(__name__)


def providers_for(device: str) -> list[str]:
    """Providers, the preferred one first; the CPU stands in for a missing GPU."""
    if device != "cuda":
        return [CPU]
    if CUDA in onnxruntime.get_available_providers():
        return [CUDA, CPU]
    logger.warning("onnx_cuda_missing")
    return [CPU]


class OnnxSession:
    """One intra-op thread by default: processes share cores, threads would fight."""

    def __init__(
        self, content: bytes, *, threads: int = 1, providers: Sequence[str] = (CPU,)
    ) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session: onnxruntime.InferenceSession | None = (
            onnxruntime.InferenceSession(content, options, providers=list(providers))
        )
        self._running: set[onnxruntime.RunOptions] = set()
        self.size_bytes = len(content)
        self.input_names = tuple(node.name for node in self._session.get_inputs())

    def run(
        self, feeds: Mapping[str, npt.NDArray[Any]], deadline: float | None = None
    ) -> Arrays:
        """Outputs by name. ``deadline`` is a moment of ``time.monotonic``.

        Unavailable after ``close``; DeadlinePassed when the run had to be stopped.
        """
        session = self._session
        if session is None:
            raise Unavailable("The model was unloaded.")
        remaining_s(deadline)
        names = [output.name for output in session.get_outputs()]
        options = onnxruntime.RunOptions()
        self._running.add(options)
        try:
            with WATCHDOG.stopping(lambda: _terminate(options), deadline):
                values = session.run(names, dict(feeds), options)
        except Exception:  # the adapter boundary: told apart, then raised again
            remaining_s(deadline)
            raise
        finally:
            self._running.discard(options)
        return dict(zip(names, values, strict=True))

    def close(self) -> None:
        """Stop what runs; may be called twice."""
        self._session = None
        for options in tuple(self._running):
            _terminate(options)


# Any: ONNX Runtime is untyped.
def _terminate(options: Any) -> None:
    options.terminate = True
