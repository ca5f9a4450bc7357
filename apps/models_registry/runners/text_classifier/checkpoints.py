"""A checkpoint as one safetensors file, and back to the files Trainer resumes from.

What is stored and comes back from storage holds tensors and numbers only. The pickles
that Trainer reads are written here, into a folder of this process, from those tensors.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import TrainerState

from apps.core.digests import canonical_json
from apps.core.errors import IntegrityFailure

MOMENTS = ("step", "exp_avg", "exp_avg_sq")
NETWORK, MOMENT = "network.", "moment."


def snapshot(
    network: nn.Module, optimizer: Any, scheduler: Any, place: Mapping[str, int]
) -> bytes:
    """Weights, both moments, the schedule and every generator; ``place`` has step and
    seed. Any: torch's optimizer and scheduler."""
    tensors = {
        NETWORK + name: value.detach().cpu().contiguous()
        for name, value in network.state_dict().items()
    }
    for number, state in optimizer.state_dict()["state"].items():
        for name in MOMENTS:
            tensors[f"{MOMENT}{number}.{name}"] = state[name].detach().cpu()
    version, words, gauss = random.getstate()
    # Any: numpy says str or array for what is an array here.
    arrays: Any = np.random.get_state(legacy=True)
    _, keys, position, has_gauss, cached = arrays
    tensors |= {
        "random.torch": torch.get_rng_state(),
        "random.python": torch.tensor(words, dtype=torch.int64),
        "random.numpy": torch.from_numpy(keys.astype(np.int64)),
    }
    about = {
        **place,
        "scheduler": scheduler.last_epoch,
        "python": [version, gauss],
        "numpy": [int(position), int(has_gauss), float(cached)],
    }
    return save_tensors(tensors, {"place": canonical_json(about).decode()})


class Restored:
    """A checkpoint's content; IntegrityFailure for one of a run with another seed."""

    def __init__(self, content: bytes, seed: int) -> None:
        self.tensors = load_tensors(content)
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])
        self.place: dict[str, Any] = json.loads(header["__metadata__"]["place"])
        if self.place["seed"] != seed:
            raise IntegrityFailure("The checkpoint belongs to a run with another seed.")

    @property
    def step(self) -> int:
        return int(self.place["step"])

    def unpack(self, folder: Path, trainer: Any) -> None:
        """Write what ``trainer.train(resume_from_checkpoint=folder)`` reads.

        The trainer has a fresh optimizer and scheduler of this run; their settings are
        kept and only what training changed is put in. Any: Trainer's types say that it
        may have neither.
        """
        folder.mkdir(parents=True)
        weights = {
            name.removeprefix(NETWORK): value
            for name, value in self.tensors.items()
            if name.startswith(NETWORK)
        }
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
        torch.save(self._optimizer(trainer), folder / "optimizer.pt")
        torch.save(self._scheduler(trainer), folder / "scheduler.pt")
        torch.save(self._generators(), folder / "rng_state.pth")
        state = TrainerState(
            global_step=self.step,
            epoch=0.0,
            max_steps=trainer.args.max_steps,
            train_batch_size=trainer.args.per_device_train_batch_size,
        )
        state.save_to_json(str(folder / "trainer_state.json"))

    def _optimizer(self, trainer: Any) -> dict[str, Any]:
        saved: dict[str, Any] = trainer.optimizer.state_dict()
        groups = saved["param_groups"]
        saved["state"] = {
            number: {name: self.tensors[f"{MOMENT}{number}.{name}"] for name in MOMENTS}
            for number in range(sum(len(group["params"]) for group in groups))
        }
        for group, rate in zip(groups, self._rates(trainer), strict=True):
            group["lr"] = rate
        return saved

    def _scheduler(self, trainer: Any) -> dict[str, Any]:
        saved: dict[str, Any] = trainer.lr_scheduler.state_dict()
        done = self.place["scheduler"]
        return {
            **saved,
            "last_epoch": done,
            "_step_count": done + 1,
            "_last_lr": self._rates(trainer),
        }

    def _rates(self, trainer: Any) -> list[float]:
        """The learning rate of each group where the checkpoint was made."""
        scheduler = trainer.lr_scheduler
        return [
            base * rate(self.place["scheduler"])
            for base, rate in zip(scheduler.base_lrs, scheduler.lr_lambdas, strict=True)
        ]

    def _generators(self) -> dict[str, Any]:
        version, gauss = self.place["python"]
        position, has_gauss, cached = self.place["numpy"]
        words = tuple(int(word) for word in self.tensors["random.python"])
        keys = self.tensors["random.numpy"].numpy().astype(np.uint32)
        generators: dict[str, Tensor | tuple[object, ...]] = {
            "python": (version, words, gauss),
            "numpy": ("MT19937", keys, position, has_gauss, cached),
            "cpu": self.tensors["random.torch"],
        }
        return generators
