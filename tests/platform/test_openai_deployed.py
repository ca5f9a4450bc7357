"""The openai package against gunicorn as it is deployed, with a model on loopback."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import openai
import pytest

from benchmarks.chaos_state import free_port
from pe_platform.local_env import SECRETS
from tests.models_registry.chat_server import CALM, Turn, running

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
ASK = [{"role": "user", "content": "Could you help me plan my week?"}]
CRISIS = [{"role": "user", "content": "I am going to kill myself tonight."}]
CALM_TEXT = "".join(CALM)


@pytest.fixture(scope="module")
def model():
    with running() as server:
        yield server


@pytest.fixture(scope="module", params=["1", "4"])
def web(request, tmp_path_factory, model):
    """Gunicorn with two workers of so many threads: process, base URL, key, folder."""
    folder = tmp_path_factory.mktemp("state")
    port = free_port()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PE_", "DJANGO_", "DATABASE_URL", "REDIS_URL"))
    }
    environment = {
        **kept,
        **{name: f"{name.lower():x<40}" for name in SECRETS},
        "PE_ENVIRONMENT": "local",
        "PE_ALLOWED_HOSTS": "127.0.0.1",
        "PE_ENV_FILE": os.devnull,
        "PE_STATE_DIR": str(folder),
        "PE_BIND": f"127.0.0.1:{port}",
        "PE_WEB_WORKERS": "2",
        "PE_WEB_THREADS": request.param,
        "PE_REMOTE_NETWORKS": "127.0.0.0/8",
    }
    script = ROOT / "tests" / "platform" / "deployed_state.py"
    done = subprocess.run(
        (sys.executable, str(script), model.url),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            (sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py"),
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
    yield process, f"http://127.0.0.1:{port}/v1", done.stdout.split()[-1], folder
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def client(web):
    process, url, key, folder = web
    with openai.OpenAI(base_url=url, api_key=key, max_retries=0, timeout=60) as made:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            try:
                made.models.list()
                break
            except openai.APIConnectionError:
                time.sleep(0.2)
        else:
            pytest.fail((folder / "log").read_text()[-3000:])
        yield made


def text_of(stream) -> str:
    return "".join(
        chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices
    )


def last_usage(folder: Path) -> str:
    with sqlite3.connect(folder / "platform.sqlite3") as link:
        row = link.execute(
            "SELECT usage FROM inference_inferencerecord"
            " ORDER BY created_at DESC LIMIT 1"
        ).fetchone()
    return str(row[0])


def test_chats_models_and_moderations_are_answered(client):
    whole = client.chat.completions.create(model="companion", messages=ASK)
    crisis = client.chat.completions.create(model="companion", messages=CRISIS)
    stream = client.chat.completions.create(
        model="companion", messages=ASK, stream=True
    )

    assert [model.id for model in client.models.list()] == ["companion"]
    assert whole.choices[0].message.content == text_of(stream) == CALM_TEXT
    assert crisis.choices[0].finish_reason == "content_filter"
    assert client.moderations.create(input=CRISIS[0]["content"]).results[0].flagged


def test_words_arrive_while_the_model_is_still_writing(client, model):
    model.resume.clear()
    model.turns.append(Turn(chunks=(*CALM, " And more. ", "Bye."), stall_after=5))
    stream = client.chat.completions.create(
        model="companion", messages=ASK, stream=True
    )
    first = next(
        chunk.choices[0].delta.content
        for chunk in stream
        if chunk.choices[0].delta.content
    )

    model.resume.set()

    assert first + text_of(stream) == CALM_TEXT + " And more. Bye."


def test_a_caller_that_hangs_up_stops_the_model_and_is_recorded(client, model, web):
    model.was_aborted.clear()
    model.turns.append(Turn(chunks=(*CALM, " "), is_endless=True))
    stream = client.chat.completions.create(
        model="companion", messages=ASK, stream=True
    )
    next(stream)

    stream.close()

    assert model.was_aborted.wait(30)
    deadline = time.monotonic() + 30
    while "disconnected" not in last_usage(web[3]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "disconnected" in last_usage(web[3])


def test_a_stream_under_way_ends_whole_when_the_server_is_told_to_stop(
    client, model, web
):
    model.resume.clear()
    model.turns.append(Turn(chunks=(*CALM, " And more. ", "Bye."), stall_after=5))
    stream = client.chat.completions.create(
        model="companion", messages=ASK, stream=True
    )
    first = next(
        chunk.choices[0].delta.content
        for chunk in stream
        if chunk.choices[0].delta.content
    )

    web[0].send_signal(signal.SIGTERM)
    model.resume.set()

    assert first + text_of(stream) == CALM_TEXT + " And more. Bye."
    assert web[0].wait(30) == 0
