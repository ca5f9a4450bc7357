"""A key, a policy in force and a model in production, made by the real services."""

from __future__ import annotations

import json
from ipaddress import ip_network

import pytest
from django.test import Client

from apps.accounts.keys import forget_cached_keys
from apps.accounts.limits import close_limiter
from apps.accounts.models import Tier
from apps.accounts.permissions import system_actor
from apps.accounts.roles import Role
from apps.accounts.services import issue_key, sync_tiers
from apps.models_registry import services as registry
from apps.models_registry.serving import process_pool
from apps.models_registry.training import run_training
from apps.safety import services as safety
from apps.safety.assembly import warm
from apps.safety.policy import default_document
from apps.safety.selectors import forget_policies
from tests.models_registry import stages
from tests.models_registry.chat_server import running
from tests.models_registry.fixtures import *  # noqa: F403

ALL_SCOPES = [
    "inference:batch", "inference:predict", "inference:read", "inference:replay",
    "models:read",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _own_limiter_and_stamp(settings, tmp_path):
    settings.PE_LIMITER_FILE = tmp_path / "limits.sqlite3"
    settings.PE_KEY_STAMP_FILE = tmp_path / "keys.stamp"
    settings.PE_SLOT_DIR = tmp_path / "slots"
    forget_cached_keys()
    forget_policies()
    yield
    close_limiter()


@pytest.fixture(autouse=True)
def _train_once(settings):
    settings.PE_TRAINING_RUNNERS = [
        "tests.inference.runners.RememberingRunner",
        "apps.models_registry.runners.llm_remote.runner.LlmRemoteRunner",
    ]


@pytest.fixture(scope="session")
def gates_warm():
    """The gates of this process, loaded as a server loads them before it listens."""
    warm()


@pytest.fixture
def tier(db):
    sync_tiers(actor=system_actor("bootstrap"))
    return Tier.objects.get(slug="high")


@pytest.fixture
def issue(operator, tier, person):
    """Issue a key: ``key, raw = issue(scopes=[...])``."""
    owner = person("caller-owner")

    def make(**fields):
        given = {
            "actor": operator,
            "name": "wellness app",
            "owner": owner,
            "scopes": ALL_SCOPES,
            "tier": tier,
        }
        return issue_key(**(given | fields))

    return make


class Caller:
    """A program with a key."""

    def __init__(self, raw: str) -> None:
        self.raw = raw
        self.client = Client(raise_request_exception=False)

    def get(self, path: str, **headers):
        return self.client.get(path, headers=self._headers(headers))

    def post(self, path: str, body, content_type="application/json", **headers):
        data = body if isinstance(body, bytes) else json.dumps(body)
        return self.client.post(
            path, data, content_type=content_type, headers=self._headers(headers)
        )

    def chat(self, text="Could you help me plan my week?", model="companion", **more):
        """A chat completion; ``earlier`` are messages before the text."""
        headers, earlier = more.pop("headers", {}), more.pop("earlier", [])
        messages = [*earlier, {"role": "user", "content": text}]
        body = {"model": model, "messages": messages, **more}
        return self.post("/v1/chat/completions", body, **headers)

    def predict(self, text="I keep waking at night.", model="support-reply", **more):
        headers = more.pop("headers", {})
        body = {"input": {"text": text, **more}}
        return self.post(f"/api/v1/models/{model}/predict", body, **headers)

    def _headers(self, more):
        key = {"Authorization": f"Bearer {self.raw}"} if self.raw else {}
        return {**key, **{name.replace("_", "-"): v for name, v in more.items()}}


@pytest.fixture
def caller(issue) -> Caller:
    return Caller(issue()[1])


@pytest.fixture
def nobody(db) -> Caller:
    return Caller("")


@pytest.fixture
def policy(operator, acting, gates_warm):
    """The shipped policy, signed by a clinician and a compliance officer."""
    row = safety.draft_policy(
        actor=operator, name="default", document=default_document()
    )
    safety.submit_policy(actor=operator, policy_id=str(row.pk))
    signers = acting("cleo", Role.CLINICIAN), acting("cora", Role.COMPLIANCE)
    stages.sign_pending(str(row.pk), *signers)
    forget_policies()
    row.refresh_from_db()
    return row


@pytest.fixture
def served(operator, candidate, approve, policy):
    """An approved version that ``production`` points at, under a policy in force."""
    version = approve(candidate)
    registry.promote_version(
        actor=operator, version_id=str(version.pk), reason="first version"
    )
    return version


@pytest.fixture
def chat_server(settings):
    """A real OpenAI-compatible server on loopback, which this platform may call."""
    settings.PE_REMOTE_NETWORKS = [ip_network("127.0.0.0/8")]
    with running() as server:
        yield server


@pytest.fixture
def llm(operator, approve, policy, messages, chat_server):
    """An approved version whose words ``chat_server`` writes, in production."""
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
        hyperparameters={
            "base_url": chat_server.url,
            "model": "tiny",
            "attempts": 1,
            "read_timeout_s": 2.0,
        },
    )
    manifest = registry.create_manifest(actor=operator, document=document)
    run = registry.queue_run(actor=operator, manifest_id=str(manifest.pk))
    version = run_training(str(run.pk))
    stages.measure(operator, version)
    approve(version)
    registry.promote_version(
        actor=operator, version_id=str(version.pk), reason="first version"
    )
    version.refresh_from_db()
    yield version
    process_pool().clear()
