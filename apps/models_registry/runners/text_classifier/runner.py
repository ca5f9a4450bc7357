"""Fine-tuning for text classification, on transformers and accelerate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from apps.models_registry.contracts import (
    RunLog,
    TrainingJob,
    TrainingOutcome,
    TrainingRunner,
)
from apps.models_registry.runners.text_classifier.hyperparameters import (
    parse_hyperparameters,
)


class TextClassifierRunner(TrainingRunner):
    """Needs one dataset: ``messages`` (text, category, split)."""

    name = "text_classifier"
    version = "1"
    datasets = ("messages",)

    def check(self, hyperparameters: Mapping[str, object]) -> None:
        parse_hyperparameters(hyperparameters)

    def run(self, job: TrainingJob, log: RunLog) -> TrainingOutcome:
        # transformers takes seconds to import: only the worker that trains pays for it.
        from apps.models_registry.runners.determinism import deterministic
        from apps.models_registry.runners.text_classifier.bases import base_of
        from apps.models_registry.runners.text_classifier.examples import (
            read_rows,
            tokenised,
        )
        from apps.models_registry.runners.text_classifier.packing import (
            artifacts_of,
            signature_of,
        )
        from apps.models_registry.runners.text_classifier.trainer import FineTuning

        chosen = parse_hyperparameters(
            cast("Mapping[str, object]", job.manifest.get("hyperparameters", {}))
        )
        seed = cast("int", job.manifest["seed"])
        rows = read_rows(job.datasets["messages"]())
        with deterministic(seed):
            base = base_of(chosen, len(rows.labels))
            train, dev = (
                tokenised(part, rows.labels, base.tokenizer, chosen.max_tokens)
                for part in (rows.train, rows.dev)
            )
            tuning = FineTuning(base, (train, dev), chosen, (seed, job.device))
            tuning.train(log, job.resume)
            return TrainingOutcome(
                artifacts=artifacts_of(tuning, rows.labels),
                signature=signature_of(rows.labels),
                adapter="text_classifier_onnx",
                last_step=tuning.last_step,
                metrics=tuning.dev_metrics(),
                summary=_summary(len(train), len(rows.labels), chosen.base),
            )


def _summary(texts: int, labels: int, base: str) -> str:
    start = f"the base model {base}" if base else "nothing"
    return (
        f"Tells {labels} categories of text apart. Trained from {start} on {texts} "
        "texts. It gives probabilities and writes no reply; it reads one text at a "
        "time and ignores earlier turns. It is no crisis detector; the gates are."
    )
