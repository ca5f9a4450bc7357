"""A version of a model that another server runs: its endpoint, recorded and signed for.

Nothing is trained and no network is used. The manifest's hyper-parameters are the
endpoint, its dataset the messages that the version is evaluated on; what comes out is
measured, described, signed for and promoted like any other version. A secret is named
here and stored elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from apps.core.digests import canonical_json
from apps.models_registry.adapters.remote.endpoint import ENDPOINT_FILE, parse_endpoint
from apps.models_registry.contracts import (
    RunLog,
    TrainedArtifact,
    TrainingJob,
    TrainingOutcome,
    TrainingRunner,
)


class LlmRemoteRunner(TrainingRunner):
    """Needs the dataset ``messages``, which evaluators read."""

    name = "llm_remote"
    version = "1"
    datasets = ("messages",)

    def check(self, hyperparameters: Mapping[str, object]) -> None:
        parse_endpoint(hyperparameters)

    def run(self, job: TrainingJob, log: RunLog) -> TrainingOutcome:
        chosen = cast("Mapping[str, object]", job.manifest["hyperparameters"])
        endpoint = parse_endpoint(chosen)
        content = canonical_json(endpoint.as_json())
        return TrainingOutcome(
            artifacts={ENDPOINT_FILE: TrainedArtifact("json", content)},
            signature={"input": "TextRequest", "output": "Prediction", "labels": []},
            adapter="llm_remote",
            last_step=0,
            summary=(
                f"Replies are written by the model {endpoint.model} at "
                f"{endpoint.origin}, a server outside this platform. What runs there "
                "is not known here: a change behind that address is not seen. Every "
                "reply passes the gates."
            ),
        )
