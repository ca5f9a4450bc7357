"""Many writers, and a writer that is killed: one valid chain, nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection

from apps.audit.models import AuditEntry
from apps.audit.selectors import verify_chains
from tests.audit.support import record

ROOT = Path(__file__).parents[2]
WRITER = """
import os, sys
sys.path.insert(0, {root!r})
os.environ["DJANGO_SETTINGS_MODULE"] = "pe_platform.settings.test"
os.environ["PE_TEST_STATE_DIR"] = {state!r}
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = {database!r}
django.setup()
from tests.audit.support import record
for number in range(1, 100_000):
    print(record(number).sequence, flush=True)
"""


@pytest.mark.django_db(transaction=True)
def test_threads_keep_one_valid_chain():
    gate = threading.Barrier(4)

    def write() -> None:
        gate.wait()
        for number in range(10):
            record(number)
        connection.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (state,) = verify_chains()
    assert state.entries == 40


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wanted", [1, 25])
def test_killed_writer_loses_nothing_it_acknowledged(wanted):
    script = textwrap.dedent(WRITER).format(
        root=str(ROOT),
        state=os.environ["PE_STATE_DIR"],
        database=str(django_settings.DATABASES["default"]["NAME"]),
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    acknowledged = 0
    for line in writer.stdout:
        acknowledged = int(line)
        if acknowledged >= wanted:
            break

    os.kill(writer.pid, signal.SIGKILL)
    rest = writer.stdout.read().split()
    writer.wait(timeout=30)
    writer.stdout.close()

    # The last line may have been cut short by the kill.
    complete = [int(number) for number in rest[:-1]]
    acknowledged = max([acknowledged, *complete])
    (state,) = verify_chains()
    assert state.sequence >= acknowledged
    assert AuditEntry.objects.count() == state.sequence
    assert record(0).sequence == state.sequence + 1
    verify_chains()
