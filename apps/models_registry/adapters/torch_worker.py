"""The process in which torch runs: ``python -m`` of this module, started by its owner.

Weights are safetensors, the architecture is one of an allow-list, and nothing out of
the bundle is run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt

from apps.models_registry.adapters.torch_allowed import check_config
from apps.models_registry.adapters.worker_main import Answer, serve


# Any: options as JSON gave them.
def load(folder: Path, options: Mapping[str, Any]) -> Answer:
    """Logits of ids, mask and types; ValueError for an architecture not allowed."""
    check_config(json.loads((folder / "config.json").read_bytes()))
    import torch
    from transformers import AutoModelForSequenceClassification

    torch.set_num_threads(int(options["threads"]))
    device = _device(str(options["device"]))
    model, report = AutoModelForSequenceClassification.from_pretrained(
        folder,
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        output_loading_info=True,
    )
    if report["missing_keys"] or report["mismatched_keys"]:
        # Whatever is missing would be filled with random numbers.
        raise ValueError("weights do not fit the architecture")
    model = model.to(device).eval()
    takes_types = "token_type_ids" in model.forward.__code__.co_varnames

    # Any: int64 in, float32 out.
    def answer(arrays: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        ids, mask, types = (torch.tensor(array, device=device) for array in arrays)
        more = {"token_type_ids": types} if takes_types else {}
        with torch.inference_mode():
            logits = model(input_ids=ids, attention_mask=mask, **more).logits
        found: npt.NDArray[Any] = logits.float().cpu().numpy()
        return found

    return answer


def _device(wanted: str) -> str:
    import torch

    return "cuda" if wanted == "cuda" and torch.cuda.is_available() else "cpu"


if __name__ == "__main__":
    serve(load)
