"""The checkpoint file of the test, which tests/conftest.py gives each of its own."""

from __future__ import annotations

import pytest


@pytest.fixture
def checkpoints(settings):
    return settings.PE_CHECKPOINT_FILE
