"""A batch whose worker is killed again and again: no line lost, none answered twice."""

from __future__ import annotations

import argparse
import json
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks import serving

LINES, KILLS, KILL_AFTER = 240, 3, 30
SETUP = "import django; django.setup();"
SUBMIT = (
    SETUP
    + """
import sys
from apps.accounts.keys import authenticate_key
from apps.inference.batches.submitting import Submission, submit_batch
from apps.inference.parsing import Limits
caller = authenticate_key(sys.argv[1])
asked = Submission(sys.argv[2], [sys.stdin.buffer.read()], Limits(9999, 9999))
print(submit_batch(caller=caller, asked=asked).pk)
"""
)
RUN = (
    SETUP
    + """
import sys, time
from apps.accounts.permissions import system_actor
from apps.inference.batches.running import run_batch
while run_batch(actor=system_actor("batch"), job_id=sys.argv[1]):
    time.sleep(0.1)
"""
)


def _python(
    env: dict[str, str], code: str, *arguments: str, **more
) -> subprocess.Popen:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, cwd=serving.ROOT, env=env, **more)


def _ask(folder: Path, query: str) -> list[tuple]:
    with closing(sqlite3.connect(folder / "platform.sqlite3", timeout=20)) as link:
        return link.execute(query).fetchall()


def _done(folder: Path) -> int:
    query = "SELECT count(*) FROM inference_batchitem WHERE state = 'done'"
    return int(_ask(folder, query)[0][0])


@pytest.mark.slow
def test_a_killed_worker_loses_no_line_and_repeats_none(tmp_path):
    options = argparse.Namespace(port=1, workers=1)
    env = serving.environment(tmp_path, options) | {
        "PE_BATCH_LEASE_S": "8", "DJANGO_SETTINGS_MODULE": "pe_platform.settings",
    }  # fmt: skip
    env.pop("DATABASE_URL", None)
    env.pop("REDIS_URL", None)
    model, key = serving.prepare(env)
    with closing(sqlite3.connect(tmp_path / "platform.sqlite3")) as link:
        link.execute("UPDATE accounts_apikey SET scopes = '[\"inference:batch\"]'")
        link.commit()
    texts = serving.texts(LINES, seed=5)
    content = "".join(json.dumps({"input": {"text": text}}) + "\n" for text in texts)
    submitting = _python(env, SUBMIT, key, model,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    out, _ = submitting.communicate(content.encode(), timeout=120)
    job_id = out.decode().split()[-1]

    for _ in range(KILLS):
        target = _done(tmp_path) + KILL_AFTER
        worker = _python(env, RUN, job_id)
        while _done(tmp_path) < target and worker.poll() is None:
            time.sleep(0.02)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    deadline = time.monotonic() + 120
    while _done(tmp_path) < LINES and time.monotonic() < deadline:
        assert _python(env, RUN, job_id).wait(120) == 0
        time.sleep(1)

    states = _ask(
        tmp_path, "SELECT state, count(*) FROM inference_batchitem GROUP BY 1"
    )
    # An attempt that failed is recorded too, as one; what counts is what was answered.
    records = _ask(tmp_path, "SELECT count(*), count(DISTINCT text_digest)"
                             " FROM inference_inferencerecord"
                             " WHERE problem_code = ''")  # fmt: skip
    assert states == [("done", LINES)]
    assert records == [(LINES, LINES)]
    assert _ask(tmp_path, "SELECT state FROM inference_batchjob") == [("finished",)]
