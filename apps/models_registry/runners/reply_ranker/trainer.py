"""The training loop and its checkpoints: killed anywhere, it ends the same.

A checkpoint holds weights, both Adam moments, the random state that dropout draws from
and the position in the data order (each epoch's order is a function of the seed and the
epoch). It is safetensors, never a pickle.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from apps.core.digests import canonical_json
from apps.core.errors import IntegrityFailure
from apps.models_registry.contracts import RunLog
from apps.models_registry.runners.reply_ranker.examples import Examples, Messages
from apps.models_registry.runners.reply_ranker.hyperparameters import Hyperparameters
from apps.models_registry.runners.reply_ranker.network import ReplyRanker
from apps.models_registry.text_features import pad

CLASS_WEIGHT = 1.0
RANKING_WEIGHT = 0.5
MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True, slots=True)
class Position:
    """``step`` updates have been made in all."""

    step: int

    def place(self, steps_per_epoch: int) -> tuple[int, int]:
        """The epoch and the batch within it that come next."""
        return divmod(self.step, steps_per_epoch)


class Trainer:
    """Trains one network on one set of examples; call inside ``deterministic``."""

    def __init__(
        self, examples: Examples, settings: Hyperparameters, seed: int, device: str
    ) -> None:
        self.examples = examples
        self.settings = settings
        self.seed = seed
        self.device = torch.device(device)
        self.network = ReplyRanker(
            buckets=settings.buckets,
            dimension=settings.dimension,
            categories=len(examples.labels),
            reply_ids=torch.from_numpy(pad(examples.reply_features)),
            dropout=settings.dropout,
        ).to(self.device)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            foreach=False,
        )
        self.position = Position(0)

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.examples.train) // self.settings.batch_size)

    @property
    def last_step(self) -> int:
        return self.settings.epochs * self.steps_per_epoch

    def train(self, log: RunLog) -> None:
        """From the present position to the last step."""
        while self.position.step < self.last_step:
            epoch, batch = self.position.place(self.steps_per_epoch)
            losses = self._update(self._rows(epoch, batch))
            step = self.position.step + 1
            self.position = Position(step)
            if step % self.settings.log_every == 0 or step == self.last_step:
                log.metrics(step, {**losses, **self.dev_metrics()})
            if step % self.settings.checkpoint_every == 0 and step < self.last_step:
                log.checkpoint(step, self.snapshot())

    def _rows(self, epoch: int, batch: int) -> list[int]:
        order = np.random.default_rng((self.seed, epoch)).permutation(
            len(self.examples.train)
        )
        size = self.settings.batch_size
        return [int(row) for row in order[batch * size : (batch + 1) * size]]

    def _update(self, rows: list[int]) -> dict[str, float]:
        train = self.examples.train
        self.network.train()
        self.optimizer.zero_grad()
        categories, scores = self.network(self._ids(train, rows))
        wanted = torch.tensor([train.categories[r] for r in rows], device=self.device)
        targets = torch.from_numpy(self.examples.targets[rows]).to(self.device)
        classifying = nn.functional.cross_entropy(categories, wanted)
        ranking = nn.functional.cross_entropy(scores, targets)
        loss = CLASS_WEIGHT * classifying + RANKING_WEIGHT * ranking
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return {
            "train_loss": float(loss.detach()),
            "train_category_loss": float(classifying.detach()),
            "train_ranking_loss": float(ranking.detach()),
        }

    def _ids(self, messages: Messages, rows: list[int]) -> Tensor:
        ids = pad([messages.features[row] for row in rows])
        return torch.from_numpy(ids).to(self.device)

    @torch.no_grad()
    def dev_metrics(self) -> dict[str, float]:
        """Shares of the dev split, in [0, 1]; empty without one."""
        dev = self.examples.dev
        if not len(dev):
            return {}
        self.network.eval()
        categories, scores = self.network(self._ids(dev, list(range(len(dev)))))
        wanted = torch.tensor(dev.categories, device=self.device)
        offered = torch.tensor(self.examples.reply_categories, device=self.device)
        right = (categories.argmax(dim=1) == wanted).float().mean()
        fitting = (offered[scores.argmax(dim=1)] == wanted).float().mean()
        return {"dev_accuracy": float(right), "dev_reply_fits": float(fitting)}

    # -- checkpoints -------------------------------------------------------------------
    def snapshot(self) -> bytes:
        """Everything needed to go on from here, as safetensors."""
        tensors = {f"net.{k}": v.cpu() for k, v in self.network.state_dict().items()}
        for number, state in self.optimizer.state_dict()["state"].items():
            for name in MOMENTS:
                tensors[f"opt.{number}.{name}"] = state[name].cpu()
        tensors["rng"] = torch.get_rng_state()
        position = {"step": self.position.step, "seed": self.seed}
        return save_tensors(tensors, {"position": canonical_json(position).decode()})

    def restore(self, content: bytes) -> None:
        """Continue from ``snapshot`` bytes; IntegrityFailure for another run's."""
        tensors = load_tensors(content)
        position = _metadata(content)
        if position.get("seed") != self.seed:
            raise IntegrityFailure("The checkpoint belongs to a run with another seed.")
        self.network.load_state_dict(
            {k.removeprefix("net."): v for k, v in tensors.items() if k[:4] == "net."}
        )
        self._restore_optimizer(tensors, position["step"])
        torch.set_rng_state(tensors["rng"])
        self.position = Position(position["step"])

    def _restore_optimizer(self, tensors: Mapping[str, Tensor], step: int) -> None:
        saved = self.optimizer.state_dict()
        count = len(saved["param_groups"][0]["params"])
        saved["state"] = {
            number: {
                "step": torch.tensor(float(step)),
                **{name: tensors[f"opt.{number}.{name}"] for name in MOMENTS},
            }
            for number in range(count)
        }
        self.optimizer.load_state_dict(saved)


def _metadata(content: bytes) -> dict[str, int]:
    """The position in a safetensors header: 8 bytes of length, then JSON."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    position: dict[str, int] = json.loads(header["__metadata__"]["position"])
    return position
