"""Training by transformers' Trainer, logged and checkpointed where the platform says.

Trainer does the loop; a callback writes metrics and checkpoints through the run's log,
and raises what the log raises, so that a worker that lost its lease stops there.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from apps.core.errors import Unavailable
from apps.models_registry.contracts import RunLog
from apps.models_registry.runners.text_classifier.bases import PADDING, Base
from apps.models_registry.runners.text_classifier.checkpoints import (
    Restored,
    snapshot,
)
from apps.models_registry.runners.text_classifier.examples import (
    Texts,
    WholeTraining,
    batch_of,
)
from apps.models_registry.runners.text_classifier.hyperparameters import (
    Hyperparameters,
)


class _KeepingTrainer(Trainer):
    """Remembers the loss of the step just made: Trainer's own log averages over a
    window that a resumed run would not have seen whole."""

    last_loss = 0.0

    # Any: Trainer passes what its version needs.
    def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        loss = super().compute_loss(*args, **kwargs)
        plain = loss[0] if isinstance(loss, tuple) else loss
        self.last_loss = float(plain.detach())
        return loss


class FineTuning:
    """One training of one network; make and use it inside ``deterministic``."""

    def __init__(
        self,
        base: Base,
        texts: tuple[Texts, Texts],
        chosen: Hyperparameters,
        where: tuple[int, str],
    ) -> None:
        """``texts`` are train and dev; ``where`` is the seed and the device."""
        self.train_texts, self.dev_texts = texts
        self.base, self.chosen = base, chosen
        self.seed, self.device = where
        if self.device == "cuda" and not torch.cuda.is_available():
            raise Unavailable("The manifest asks for cuda, which this worker lacks.")
        rows = len(self.train_texts) * chosen.epochs
        self.last_step = -(-rows // chosen.batch_size)
        self.padding = base.tokenizer.token_to_id(PADDING) or 0

    def train(self, log: RunLog, resume: bytes | None) -> None:
        """From the checkpoint, or the beginning, to the last step."""
        with tempfile.TemporaryDirectory() as folder:
            trainer = self._trainer(folder)
            trainer.add_callback(_Writing(self, trainer, log))
            checkpoint: str | None = None
            if resume is not None:
                restored = Restored(resume, self.seed)
                trainer.create_optimizer_and_scheduler(self.last_step)
                checkpoint = f"{folder}/checkpoint-{restored.step}"
                restored.unpack(Path(checkpoint), trainer)
            trainer.train(resume_from_checkpoint=checkpoint)
        self.base.network.eval()

    def _trainer(self, folder: str) -> _KeepingTrainer:
        chosen = self.chosen
        arguments = TrainingArguments(
            output_dir=folder,
            seed=self.seed,
            max_steps=self.last_step,
            per_device_train_batch_size=chosen.batch_size,
            learning_rate=chosen.learning_rate,
            weight_decay=chosen.weight_decay,
            warmup_steps=int(chosen.warmup_share * self.last_step),
            lr_scheduler_type="linear",
            optim="adamw_torch",
            train_sampling_strategy="sequential",
            remove_unused_columns=False,
            dataloader_pin_memory=False,
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
            use_cpu=self.device == "cpu",
        )
        trainer = _KeepingTrainer(
            model=self.base.network,
            args=arguments,
            train_dataset=WholeTraining(self.train_texts, chosen.epochs, self.seed),
            data_collator=partial(batch_of, padding=self.padding),
        )
        # A worker's output is its log; metrics are rows.
        trainer.remove_callback(PrinterCallback)
        return trainer

    @torch.no_grad()
    def dev_metrics(self) -> dict[str, float]:
        """``dev_accuracy`` in [0, 1], ``dev_loss`` in nats; empty without a split."""
        if not len(self.dev_texts):
            return {}
        network = self.base.network
        was_training = network.training
        network.eval()
        right, loss = 0, 0.0
        for start in range(0, len(self.dev_texts), self.chosen.batch_size):
            logits, labels = self._judged(start)
            right += int((logits.argmax(dim=1) == labels).sum())
            loss += float(nn.functional.cross_entropy(logits, labels, reduction="sum"))
        network.train(was_training)
        count = len(self.dev_texts)
        return {"dev_accuracy": right / count, "dev_loss": loss / count}

    def _judged(self, start: int) -> tuple[Tensor, Tensor]:
        end = min(start + self.chosen.batch_size, len(self.dev_texts))
        rows = [
            {"ids": self.dev_texts.ids[n], "label": self.dev_texts.labels[n]}
            for n in range(start, end)
        ]
        batch = batch_of(rows, self.padding)
        device = next(self.base.network.parameters()).device
        found = self.base.network(
            input_ids=batch["input_ids"].to(device),
            attention_mask=batch["attention_mask"].to(device),
        )
        return found.logits, batch["labels"].to(device)


class _Writing(TrainerCallback):
    """After every step: metrics and checkpoints where they are due."""

    def __init__(
        self, tuning: FineTuning, trainer: _KeepingTrainer, log: RunLog
    ) -> None:
        self.tuning = tuning
        self.trainer = trainer
        self.log = log

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        chosen, step = self.tuning.chosen, state.global_step
        is_last = step >= self.tuning.last_step
        if step % chosen.log_every == 0 or is_last:
            loss = {"train_loss": self.trainer.last_loss}
            self.log.metrics(step, loss | self.tuning.dev_metrics())
        if step % chosen.checkpoint_every == 0 and not is_last:
            place = {"step": step, "seed": self.tuning.seed}
            content = snapshot(
                kwargs["model"], kwargs["optimizer"], kwargs["lr_scheduler"], place
            )
            self.log.checkpoint(step, content)
