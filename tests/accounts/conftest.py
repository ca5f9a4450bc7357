"""Keys and tiers for the tests of accounts."""

from __future__ import annotations

import pytest

from apps.accounts.keys import forget_cached_keys
from apps.accounts.limits import close_limiter
from apps.accounts.models import Tier
from apps.accounts.permissions import system_actor
from apps.accounts.roles import Role
from apps.accounts.services import issue_key, sync_tiers


@pytest.fixture(autouse=True)
def _own_limiter_and_stamp(settings, tmp_path):
    settings.PE_LIMITER_FILE = tmp_path / "limits.sqlite3"
    settings.PE_KEY_STAMP_FILE = tmp_path / "keys.stamp"
    forget_cached_keys()
    yield
    close_limiter()


@pytest.fixture
def operator(acting):
    return acting("olga", Role.OPERATOR)


@pytest.fixture
def tier(db):
    sync_tiers(actor=system_actor("bootstrap"))
    return Tier.objects.get(slug="free")


@pytest.fixture
def issue(operator, tier, person):
    """Issue a key: ``key, raw = issue(scopes=[...])``."""
    owner = person("caller-owner")

    def make(**fields):
        given = {
            "actor": operator,
            "name": "wellness app",
            "owner": owner,
            "scopes": ["inference:predict"],
            "tier": tier,
        }
        return issue_key(**(given | fields))

    return make
