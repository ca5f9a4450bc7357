"""The training loop: one thread of randomness, checkpoints, resumes where it stopped.

Collected sources have an offset a head of their own while training, as in
``training.fit``: how often a source is positive says how it was collected.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from apps.safety.runtime.pieces import Pieces
from apps.safety.training.encoder.model import GateEncoder
from apps.safety.training.encoder.sampling import (
    Row,
    batches,
    one_pass,
    rows_of,
)
from apps.safety.training.examples import HEADS, Example
from apps.safety.training.train import Stages

PEAK_RATE, HEAD_RATE = 1.5e-4, 1e-3
WARM_SHARE = 0.06
SAVE_EVERY = 200
MIXED = 0.05
SMOOTHING = 0.02


@dataclass(frozen=True)
class Plan:
    """``scales`` holds, for each pass, how many times the usual shares are drawn."""

    examples: Sequence[Example]
    pieces: Pieces
    checkpoint: Path
    seed: int = 7
    scales: tuple[float, ...] = (1.0,)


def planned_batches(plan: Plan) -> list[list[Row]]:
    """Every batch of every pass, the same for the same seed."""
    out: list[list[Row]] = []
    for number, scale in enumerate(plan.scales):
        # Reproducible draws of training rows, nothing secret.
        rng = random.Random(f"{plan.seed}-{number}")  # noqa: S311
        drawn = one_pass(rng, plan.examples, scale)
        out += batches(rng, list(rows_of(rng, plan.pieces, drawn)))
    return out


def tensors(rows: Sequence[Row]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(ids, mask, types), each (rows, longest)."""
    width = max(len(row.ids) for row in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    mask, types = torch.zeros_like(ids), torch.zeros_like(ids)
    for number, row in enumerate(rows):
        length = len(row.ids)
        ids[number, :length] = torch.tensor(row.ids)
        types[number, :length] = torch.tensor(row.types)
        mask[number, :length] = 1
    return ids, mask, types


def source_numbers(examples: Sequence[Example]) -> dict[str, int]:
    """0 for sources without an offset (written ones), 1.. for collected ones."""
    names = sorted({e.source for e in examples if not e.is_written})
    return {name: number for number, name in enumerate(names, start=1)}


class Loss(nn.Module):
    """Weighted cross-entropy over the known labels, with offsets by source."""

    def __init__(self, examples: Sequence[Example]) -> None:
        super().__init__()
        self._sources = source_numbers(examples)
        self.offsets = nn.Embedding(len(self._sources) + 1, len(HEADS))
        nn.init.zeros_(self.offsets.weight)
        self._may_move = self._mixed(examples)

    def _mixed(self, examples: Sequence[Example]) -> torch.Tensor:
        """1 where a source holds both answers for a head."""
        counts = torch.zeros(len(self._sources) + 1, len(HEADS), 2)
        for example in examples:
            number = self._sources.get(example.source, 0)
            for head, label in example.labels.items():
                counts[number, HEADS.index(head), label] += 1
        share = counts[..., 1] / counts.sum(-1).clamp(min=1)
        moves = ((share > MIXED) & (share < 1 - MIXED)).float()
        moves[0] = 0.0
        return moves

    def forward(self, logits: torch.Tensor, rows: Sequence[Row]) -> torch.Tensor:
        numbers = torch.tensor([self._sources.get(r.example.source, 0) for r in rows])
        targets = torch.tensor(
            [[float(r.example.labels.get(h, 0)) for h in HEADS] for r in rows]
        )
        weights = torch.tensor(
            [[min(2.0, r.example.weight_for(h)) for h in HEADS] for r in rows]
        )
        offsets = self.offsets(numbers) * self._may_move[numbers]
        soft = targets * (1 - 2 * SMOOTHING) + SMOOTHING
        loss = nn.functional.binary_cross_entropy_with_logits(
            logits.float() + offsets, soft, reduction="none"
        )
        total: torch.Tensor = (loss * weights).sum() / len(rows)
        return total


def _rate(step: int, steps: int) -> float:
    warm = max(1, int(steps * WARM_SHARE))
    if step < warm:
        return (step + 1) / warm
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))


def _optimiser(model: GateEncoder, loss: Loss) -> torch.optim.Optimizer:
    trunk = list(model.trunk.parameters())
    own = [*model.shared.parameters(), *model.heads.parameters()]
    groups = [
        {"params": trunk, "lr": PEAK_RATE, "weight_decay": 0.01},
        {"params": own, "lr": HEAD_RATE, "weight_decay": 0.01},
        {"params": list(loss.parameters()), "lr": HEAD_RATE, "weight_decay": 0.02},
    ]
    return torch.optim.AdamW(groups)


def fine_tune(model: GateEncoder, plan: Plan, stages: Stages) -> None:
    """Trains in place; a killed run goes on from ``plan.checkpoint``."""
    torch.manual_seed(plan.seed)
    loss_of = Loss(plan.examples)
    optimiser = _optimiser(model, loss_of)
    every = planned_batches(plan)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: _rate(step, len(every))
    )
    first = _resume(plan.checkpoint, model, loss_of, optimiser, scheduler)
    tick = stages("encoder", sum(map(len, every[first:])))
    model.train()
    for step in range(first, len(every)):
        torch.manual_seed(plan.seed * 1_000_003 + step)
        rows = every[step]
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(*tensors(rows))
        loss = loss_of(logits, rows)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        scheduler.step()
        tick(len(rows))
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == len(every):
            _save(plan.checkpoint, step + 1, model, loss_of, optimiser, scheduler)
    model.eval()


def _save(
    path: Path,
    step: int,
    model: GateEncoder,
    loss: Loss,
    optimiser: torch.optim.Optimizer,
    scheduler: torch.optim.lr_scheduler.LRScheduler,
) -> None:
    state = {
        "step": step,
        "model": model.state_dict(),
        "loss": loss.state_dict(),
        "optimiser": optimiser.state_dict(),
        "scheduler": scheduler.state_dict(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def _resume(
    path: Path,
    model: GateEncoder,
    loss: Loss,
    optimiser: torch.optim.Optimizer,
    scheduler: torch.optim.lr_scheduler.LRScheduler,
) -> int:
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    loss.load_state_dict(state["loss"])
    optimiser.load_state_dict(state["optimiser"])
    scheduler.load_state_dict(state["scheduler"])
    step: int = state["step"]
    return step
