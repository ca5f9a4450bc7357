"""The process in which LiteRT runs: ``python -m`` of this module, started by its owner.

A .tflite file is data. One that needs custom or TensorFlow operators is refused, since
this runtime has neither. The package is optional (requirements-tensorflow.txt).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt

from apps.models_registry.adapters.worker_main import Answer, serve

NAMES = ("input_ids", "attention_mask", "token_type_ids")


# Any: options as JSON gave them, and arrays of the model's dtypes.
def load(folder: Path, options: Mapping[str, Any]) -> Answer:
    """Logits of ids, mask and types; ValueError for other inputs than those."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(
        model_path=str(folder / "model.tflite"), num_threads=int(options["threads"])
    )
    interpreter.allocate_tensors()
    runner = interpreter.get_signature_runner()
    dtypes = {name: one["dtype"] for name, one in runner.get_input_details().items()}
    if "input_ids" not in dtypes or not set(dtypes) <= set(NAMES):
        raise ValueError("the model takes other inputs")

    def answer(arrays: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        given = dict(zip(NAMES, arrays, strict=True))
        feeds = {name: given[name].astype(dtype) for name, dtype in dtypes.items()}
        found: npt.NDArray[Any] = next(iter(runner(**feeds).values()))
        return found

    return answer


if __name__ == "__main__":
    serve(load)
