"""Keys of each test's own, and texts that lie sealed."""

from __future__ import annotations

import pytest

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
