"""State for the serving benchmark: people, policy, a trained model and a key.

Everything goes through the services that staff use. Run with the environment of the
server that is to be measured; prints the key and the model's name as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pe_platform.settings")

import django  # noqa: E402

django.setup()

from django.contrib.auth.models import Group  # noqa: E402
from django.core.management import call_command  # noqa: E402

from apps.accounts.models import Tier, User  # noqa: E402
from apps.accounts.permissions import actor_for_user, system_actor  # noqa: E402
from apps.accounts.roles import Role  # noqa: E402
from apps.accounts.services import issue_key, sync_roles, sync_tiers  # noqa: E402
from apps.core.actors import Actor  # noqa: E402
from apps.models_registry import services as registry  # noqa: E402
from apps.models_registry.training import run_training  # noqa: E402
from apps.safety import services as safety  # noqa: E402
from apps.safety.policy import default_document  # noqa: E402
from tests.models_registry import stages  # noqa: E402

PEOPLE = {
    "operator": Role.OPERATOR,
    "reviewer": Role.REVIEWER,
    "clinician": Role.CLINICIAN,
    "compliance": Role.COMPLIANCE,
}


def people() -> dict[str, Actor]:
    bootstrap = system_actor("bootstrap")
    sync_roles(actor=bootstrap)
    sync_tiers(actor=bootstrap)
    for name, role in PEOPLE.items():
        user = User.objects.create_user(name, is_staff=True)
        user.groups.set(Group.objects.filter(name=role.value))
    return {name: actor_for_user(User.objects.get(username=name)) for name in PEOPLE}


def adopt_policy(cast: dict[str, Actor]) -> None:
    row = safety.draft_policy(
        actor=cast["operator"], name="default", document=default_document()
    )
    safety.submit_policy(actor=cast["operator"], policy_id=str(row.pk))
    stages.sign_pending(str(row.pk), cast["clinician"], cast["compliance"])


def put_model_in_production(cast: dict[str, Actor]) -> str:
    operator, signers = cast["operator"], (cast["reviewer"], cast["clinician"])
    digests = {}
    for name in ("support_messages", "reply_library"):
        rows = list(stages.demo_rows(f"{name}.jsonl"))
        draft = stages.ingest(operator, name.replace("_", "-"), rows, name)
        digests[name] = stages.freeze(operator, draft, signers).digest
    model = registry.register_model(
        actor=operator,
        name="support-reply",
        task="support_reply",
        description="Ranks approved replies.",
    )
    document = stages.manifest_document(
        digests["support_messages"], digests["reply_library"], hyperparameters={}
    )
    manifest = registry.create_manifest(actor=operator, document=document)
    run = registry.queue_run(actor=operator, manifest_id=str(manifest.pk))
    version = run_training(str(run.pk))
    assert version is not None
    stages.measure(operator, version)
    registry.submit_version(actor=operator, version_id=str(version.pk))
    stages.sign_pending(str(version.pk), *signers)
    registry.promote_version(
        actor=operator, version_id=str(version.pk), reason="benchmark"
    )
    return model.name


def issue(cast: dict[str, Actor]) -> str:
    tier = Tier.objects.get(slug="high")
    Tier.objects.filter(pk=tier.pk).update(requests_per_second=100_000, burst=100_000)
    _, raw = issue_key(
        actor=cast["operator"],
        name="benchmark",
        owner=User.objects.get(username="operator"),
        scopes=["inference:predict", "inference:read", "models:read"],
        tier=tier,
    )
    return raw


def main() -> None:
    call_command("migrate", verbosity=0)
    cast = people()
    adopt_policy(cast)
    model = put_model_in_production(cast)
    print(json.dumps({"key": issue(cast), "model": model}))


if __name__ == "__main__":
    main()
