"""A run without a training: verified files in, a version out, tried before it counts.

A model from elsewhere gets what every version has: a manifest that names its files and
a frozen dataset by digest, a run, reports, signatures. The run loads the files with the
adapter that will serve them and has it answer the dataset's test messages, so that what
cannot be loaded never becomes a version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import PurePath
from typing import cast

from apps.core.errors import InvalidInput
from apps.models_registry.contracts import (
    DatasetRow,
    ModelAdapter,
    RunLog,
    TextRequest,
    TrainedArtifact,
    TrainingJob,
    TrainingOutcome,
    TrainingRunner,
)
from apps.models_registry.families import adapter_named

# Kinds of artifact by the ending of a file; nothing that runs code has one.
KINDS = {
    ".onnx": "onnx",
    ".safetensors": "safetensors",
    ".tflite": "tflite",
    ".json": "json",
}
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
TRIED_AT_MOST = 512
BATCH = 32


class BundleRunner(TrainingRunner):
    """Hyper-parameters: ``adapter``, and each of that adapter's files to its digest."""

    name = "bundle"
    version = "1"
    datasets = ("messages",)

    def check(self, hyperparameters: Mapping[str, object]) -> None:
        adapter = adapter_named(str(hyperparameters.get("adapter", "")))
        files = {name: v for name, v in hyperparameters.items() if name != "adapter"}
        if set(files) != set(adapter.files):
            raise InvalidInput(
                f"{adapter.name} needs exactly these files: {', '.join(adapter.files)}."
            )
        for name, digest in files.items():
            if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
                raise InvalidInput(f"{name} has to be named by its sha256 digest.")
            kind_of(name)

    def run(self, job: TrainingJob, log: RunLog) -> TrainingOutcome:
        chosen = cast("Mapping[str, str]", job.manifest["hyperparameters"])
        adapter = adapter_named(chosen["adapter"])
        artifacts = {name: job.open_artifact(chosen[name]) for name in adapter.files}
        adapter.load(artifacts, version_digest="")
        try:
            metrics = _tried(adapter, job.datasets["messages"]())
            signature = {**adapter.signature(), "speaks": "text-in, labels-out"}
        finally:
            adapter.unload()
        log.metrics(1, metrics)
        return TrainingOutcome(
            artifacts={
                name: TrainedArtifact(kind_of(name), opened.content)
                for name, opened in artifacts.items()
            },
            signature=signature,
            adapter=adapter.name,
            last_step=1,
            metrics=metrics,
            summary=_summary(adapter.name, int(metrics["messages_tried"])),
        )


def kind_of(file_name: str) -> str:
    """The kind of artifact; InvalidInput for an ending that is not accepted."""
    ending = PurePath(file_name).suffix
    if ending not in KINDS:
        raise InvalidInput(f"Files may end in {', '.join(KINDS)}; not {ending!r}.")
    return KINDS[ending]


def _tried(adapter: ModelAdapter, rows: Iterator[DatasetRow]) -> dict[str, float]:
    """How many test messages were answered, and how many as they are labelled."""
    tests = islice((row for row in rows if row.get("split") == "test"), TRIED_AT_MOST)
    tried = right = 0
    while batch := list(islice(tests, BATCH)):
        answers = adapter.predict([TextRequest(str(row["text"])) for row in batch])
        for row, answer in zip(batch, answers, strict=True):
            tried += 1
            right += answer.text == row.get("category")
    if not tried:
        raise InvalidInput("The dataset has no message in its test split.")
    return {"messages_tried": float(tried), "test_accuracy": right / tried}


def _summary(adapter: str, tried: int) -> str:
    return (
        f"Brought in from elsewhere as files for {adapter}; not trained here. It was "
        f"loaded and answered {tried} test messages before it became a version. Say "
        "below where it comes from, under which licence, and what it was trained on."
    )
