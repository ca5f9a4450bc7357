"""A checkpoint file of the test's own."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def checkpoints(settings, tmp_path):
    settings.PE_CHECKPOINT_FILE = tmp_path / "audit" / "checkpoints.jsonl"
    return settings.PE_CHECKPOINT_FILE
