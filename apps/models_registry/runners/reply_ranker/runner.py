"""The first runner: a small torch model for a message's category and the best reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from apps.models_registry.contracts import (
    RunLog,
    TrainingJob,
    TrainingOutcome,
    TrainingRunner,
)
from apps.models_registry.runners.reply_ranker.hyperparameters import (
    parse_hyperparameters,
)


class ReplyRankerRunner(TrainingRunner):
    """Needs two datasets: ``messages`` (text, category, split) and ``replies``."""

    name = "reply_ranker"
    version = "1"
    datasets = ("messages", "replies")

    def check(self, hyperparameters: Mapping[str, object]) -> None:
        parse_hyperparameters(hyperparameters)

    def run(self, job: TrainingJob, log: RunLog) -> TrainingOutcome:
        # torch takes seconds to import: only the worker that trains pays for it.
        from apps.models_registry.runners.determinism import deterministic
        from apps.models_registry.runners.reply_ranker.examples import load_examples
        from apps.models_registry.runners.reply_ranker.packing import (
            artifacts_of,
            signature_of,
        )
        from apps.models_registry.runners.reply_ranker.trainer import Trainer

        chosen = cast("Mapping[str, object]", job.manifest.get("hyperparameters", {}))
        settings = parse_hyperparameters(chosen)
        seed = cast("int", job.manifest["seed"])
        examples = load_examples(
            job.datasets["messages"](), job.datasets["replies"](), settings.featuriser
        )
        with deterministic(seed):
            trainer = Trainer(examples, settings, seed, job.device)
            if job.resume is not None:
                trainer.restore(job.resume)
            trainer.train(log)
            metrics = trainer.dev_metrics()
            return TrainingOutcome(
                artifacts=artifacts_of(trainer),
                signature=signature_of(trainer),
                adapter="reply_ranker_onnx",
                last_step=trainer.last_step,
                metrics=metrics,
                summary=_summary(len(examples.train), len(examples.replies)),
            )


def _summary(messages: int, replies: int) -> str:
    return (
        f"Classifies a support message and ranks {replies} approved replies. Trained "
        f"on {messages} messages. It cannot write: every answer is one of the replies. "
        "It reads one message at a time and ignores earlier turns. It is no crisis "
        "detector; the gates are."
    )
