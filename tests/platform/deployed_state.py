"""A database with a policy, a key and a remote model, for a server in its own process.

Run with the server's environment and the model's base URL; prints the key.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.serving_state import adopt_policy, issue, people  # noqa: I001 - sets up
from django.core.management import call_command

from apps.core.actors import Actor
from apps.models_registry import services as registry
from apps.models_registry.training import run_training
from tests.models_registry import stages


def put_endpoint_in_production(cast: dict[str, Actor], base_url: str) -> None:
    operator, signers = cast["operator"], (cast["reviewer"], cast["clinician"])
    draft = stages.ingest(
        operator, "messages", stages.some_messages(), "support_messages"
    )
    messages = stages.freeze(operator, draft, signers)
    registry.register_model(
        actor=operator,
        name="companion",
        task="support_reply",
        description="Writes replies.",
    )
    document = stages.manifest_document(
        "",
        "",
        model="companion",
        runner={"name": "llm_remote", "version": "1"},
        datasets={"messages": messages.digest},
        hyperparameters={"base_url": base_url, "model": "tiny"},
    )
    manifest = registry.create_manifest(actor=operator, document=document)
    run = registry.queue_run(actor=operator, manifest_id=str(manifest.pk))
    version = run_training(str(run.pk))
    assert version is not None
    stages.measure(operator, version)
    registry.submit_version(actor=operator, version_id=str(version.pk))
    stages.sign_pending(str(version.pk), *signers)
    registry.promote_version(actor=operator, version_id=str(version.pk), reason="test")


def main() -> None:
    call_command("migrate", verbosity=0)
    cast = people()
    adopt_policy(cast)
    put_endpoint_in_production(cast, sys.argv[1])
    sys.stdout.write(issue(cast) + "\n")


if __name__ == "__main__":
    main()
