"""Programs, grants and reads, as fixtures and functions of the access tests."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.keys import forget_cached_keys
from apps.accounts.limits import close_limiter
from apps.accounts.models import Tier
from apps.accounts.permissions import acting_user, system_actor
from apps.accounts.roles import Role
from apps.accounts.services import issue_key, sync_tiers
from apps.approvals.models import ApprovalRequest
from apps.approvals.services import sign
from apps.datasets import services
from apps.datasets.models import DatasetGrant
from apps.datasets.services import AccessAsked
from tests.datasets.rows import jsonl, stream, values

PURPOSE = "Study of how replies read to people of different ages."
ROWS = 450
SECRET = "write to anna@example.org or call 020 7946 0018"


@pytest.fixture(autouse=True)
def _own_limiter(settings, tmp_path):
    # Without the gates, which take seconds to load; tests/safety has theirs.
    settings.PE_DATASET_MASKS = "apps.datasets.masking.PatternMasks"
    settings.PE_LIMITER_FILE = tmp_path / "limits.sqlite3"
    settings.PE_KEY_STAMP_FILE = tmp_path / "keys.stamp"
    forget_cached_keys()
    yield
    close_limiter()


@pytest.fixture
def frozen(dataset, operator):
    """A frozen version of 450 rows, one of which names somebody."""
    from apps.datasets.contracts import FileFormat
    from apps.datasets.models import DatasetVersion

    rows = [
        values(number, text=f"Row number {number} of an invented text.")
        for number in range(1, ROWS + 1)
    ]
    rows[2]["text"] = SECRET
    version = services.ingest_version(
        actor=operator,
        dataset=dataset,
        source=stream(jsonl(rows)),
        file_format=FileFormat.JSONL,
    )
    # Freezing is another test's matter; what counts here is that it is frozen.
    DatasetVersion.objects.filter(pk=version.pk).update(
        state="frozen", frozen_by=acting_user(operator), frozen_at=timezone.now()
    )
    version.refresh_from_db()
    return version


@pytest.fixture
def program(operator, person):
    """Issue a key to another program: ``key, client = program("name")``."""
    sync_tiers(actor=system_actor("bootstrap"))

    def make(name="reader", scopes=("datasets:read",)):
        key, raw = issue_key(
            actor=operator,
            name=name,
            owner=person(f"owner-of-{name}"),
            scopes=list(scopes),
            tier=Tier.objects.get(slug="high"),
        )
        return key, Client(headers={"Authorization": f"Bearer {raw}"})

    return make


@pytest.fixture
def signers(acting):
    return acting("rita", Role.REVIEWER), acting("cora", Role.COMPLIANCE)


@pytest.fixture
def ask(frozen, operator):
    def make(key, **more) -> DatasetGrant:
        given = {
            "version_digest": frozen.digest,
            "program": key.prefix,
            "purpose": PURPOSE,
        }
        asked = AccessAsked(**(given | more))
        return services.request_access(actor=operator, asked=asked)

    return make


@pytest.fixture
def grant(ask, signers):
    """A grant that both signed for."""

    def make(key, **more) -> DatasetGrant:
        row = ask(key, **more)
        request = ApprovalRequest.objects.get(subject_id=str(row.pk))
        for signer in signers:
            sign(
                actor=signer,
                request_id=str(request.pk),
                approve=True,
                meaning="I approve",
                reason="the purpose needs it",
            )
        row.refresh_from_db()
        return row

    return make


def url(row: DatasetGrant, **query) -> str:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return f"/api/v1/datasets/grants/{row.pk}/rows?{asked}"


def read(client: Client, row: DatasetGrant, **query) -> bytes:
    response = client.get(url(row, **query))
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content)


def lines(content: bytes) -> list[dict]:
    return [json.loads(line) for line in content.splitlines()]


def open_stream(row: DatasetGrant, key, first: int = 1):
    from apps.accounts.contracts import KeyFacts
    from apps.accounts.keys import tier_facts
    from apps.accounts.permissions import actor_for_key

    facts = KeyFacts(
        id=key.pk,
        family_id=key.family_id,
        prefix=key.prefix,
        label=key.name,
        owner_id=str(key.owner_id),
        scopes=frozenset(key.scopes),
        tier=tier_facts(key.tier),
    )
    actor = actor_for_key(facts)
    prepared = services.prepare_read(
        actor=actor,
        family_id=key.family_id,
        grant_id=str(row.pk),
        file_format="jsonl",
        first=first,
    )
    return services.stream_read(actor=actor, read=prepared)
