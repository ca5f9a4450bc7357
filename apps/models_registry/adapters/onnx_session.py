"""One ONNX graph on ONNX Runtime: arrays in, arrays out, checked against its names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
import onnxruntime

from apps.core.errors import Unavailable

Arrays = dict[str, npt.NDArray[Any]]  # Any: dtypes are the graph's


class OnnxSession:
    """One intra-op thread by default: processes share cores, threads would fight."""

    def __init__(self, content: bytes, *, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session: onnxruntime.InferenceSession | None = (
            onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        )
        self.size_bytes = len(content)

    def run(self, feeds: Mapping[str, npt.NDArray[Any]]) -> Arrays:
        """Outputs by name; Unavailable after ``close``."""
        session = self._session
        if session is None:
            raise Unavailable("The model was unloaded.")
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, dict(feeds)), strict=True))

    def close(self) -> None:
        self._session = None
