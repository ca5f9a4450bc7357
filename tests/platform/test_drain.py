"""The web as deployed, stopped under load: what was acknowledged is there."""

from __future__ import annotations

import argparse
import http.client
import json
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks import serving
from benchmarks.chaos_state import free_port

GRACE_S = 20.0
CALLERS = 8
BEFORE_STOP = 150
GATES = {"crisis", "toxicity", "privacy", "bias", "appropriateness", "redaction"}


class Callers:
    """Programs that ask until nobody listens; keeps what each was told."""

    def __init__(self, server: serving.Server, port: int) -> None:
        self._server, self._port = server, port
        self._path = server.url.removeprefix(f"http://127.0.0.1:{port}")
        self.answers: list[tuple[int, dict]] = []
        self.broken = 0
        self._is_over = threading.Event()
        self.threads = [
            threading.Thread(target=self._ask, args=(part,))
            for part in _parts(serving.texts(4000, seed=3))
        ]
        for thread in self.threads:
            thread.start()

    def _ask(self, texts: list[str]) -> None:
        for text in texts:
            if self._is_over.is_set():
                return
            link = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
            try:
                self.answers.append(self._answer(link, text))
            except ConnectionRefusedError:
                return
            except (OSError, http.client.HTTPException):
                # Taken from the queue of a socket that closed: never acknowledged.
                self.broken += 1
            finally:
                link.close()

    def _answer(self, link: http.client.HTTPConnection, text: str) -> tuple[int, dict]:
        body = json.dumps({"input": {"text": text}})
        key = {"Authorization": f"Bearer {self._server.key}"}
        link.request("POST", self._path, body,
                     {**key, "Content-Type": "application/json"})  # fmt: skip
        response = link.getresponse()
        return response.status, json.loads(response.read())

    def finish(self) -> None:
        self._is_over.set()
        for thread in self.threads:
            thread.join(60)


def _parts(texts: list[str]) -> list[list[str]]:
    return [texts[n::CALLERS] for n in range(CALLERS)]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def server(tmp_path: Path, port: int) -> Iterator[serving.Server]:
    options = argparse.Namespace(port=port, workers=2)
    env = serving.environment(tmp_path, options) | {"PE_DRAIN_S": str(int(GRACE_S))}
    env.pop("DATABASE_URL", None)
    env.pop("REDIS_URL", None)
    env.pop("DJANGO_SETTINGS_MODULE", None)
    made = serving.start(env, *serving.prepare(env))
    serving.wait_until_ready(made, options.workers)
    yield made
    if made.process.poll() is None:
        made.process.kill()
    made.process.wait()


def _recorded(folder: Path) -> set[str]:
    """Ids of requests with a record and an audit entry."""
    with closing(sqlite3.connect(folder / "platform.sqlite3")) as link:
        records = {row[0] for row in link.execute(
            "SELECT id FROM inference_inferencerecord")}  # fmt: skip
        audited = {row[0].replace("-", "") for row in link.execute(
            "SELECT subject_id FROM audit_auditentry"
            " WHERE event = 'inference.request_closed'")}  # fmt: skip
    return records & audited


@pytest.mark.slow
def test_sigterm_under_load_loses_nothing_acknowledged(server, port, tmp_path):
    callers = Callers(server, port)
    while len(callers.answers) < BEFORE_STOP:
        time.sleep(0.01)
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    code = server.process.wait(GRACE_S + 10)
    took_s = time.monotonic() - began
    callers.finish()

    acknowledged = [body for status, body in callers.answers if status == 200]
    recorded = _recorded(tmp_path)
    assert code == 0
    assert took_s < GRACE_S
    assert {status for status, _ in callers.answers} == {200}
    assert len(acknowledged) >= BEFORE_STOP
    assert {body["id"].replace("-", "") for body in acknowledged} <= recorded
    for body in acknowledged:
        if body["output"]["source"] == "model":
            assert set(body["verdicts"]["output"]) == GATES
