"""Keys of each test's own, and texts that lie sealed."""

from __future__ import annotations

import pytest

from apps.accounts.models import ApiKey, Tier
from apps.accounts.permissions import system_actor
from apps.accounts.roles import Role
from apps.accounts.services import issue_key, sync_tiers
from apps.core.keys import canary, subjects


@pytest.fixture(autouse=True)
def _own_keys(settings, tmp_path):
    settings.PE_SUBJECT_KEY_DIR = str(tmp_path / "keys")
    settings.PE_ESCALATION_SPOOL = tmp_path / "spool"
    subjects.forget_opened_keys()
    canary._ensured.cache_clear()
    yield
    subjects.forget_opened_keys()
    canary._ensured.cache_clear()


@pytest.fixture
def officers(acting):
    """Two compliance officers: the first checks, the second acts."""
    return acting("cora", Role.COMPLIANCE), acting("ciro", Role.COMPLIANCE)


@pytest.fixture
def program(officers, person, acting) -> ApiKey:
    """The key of a program that has participants."""
    sync_tiers(actor=system_actor("bootstrap"))
    key, _ = issue_key(
        actor=acting("olga", Role.OPERATOR),
        name="wellness app",
        owner=person("owner"),
        scopes=["inference:predict"],
        tier=Tier.objects.get(slug="high"),
    )
    return key
