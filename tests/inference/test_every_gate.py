"""Every route that takes a person's words, streamed or not, and every gate of each.

A route that is added without being listed here fails; so does one whose gates did not
all run, or from which a word of a model leaves while any one of its gates is broken.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import orjson
import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from apps.accounts.permissions import system_actor
from apps.inference.batches import running
from apps.inference.contracts import INPUT_GATES, OUTPUT_GATES
from apps.safety.assembly import gate_classes
from apps.safety.contracts import Stage
from tests.models_registry.chat_server import Turn
from tests.models_registry.stages import some_replies

ASKED = "Could you help me plan my week?"
FIRST = "It sounds like a long week. What would help you rest tonight? "
LATE = "Marmalade is a fine breakfast. Shall we plan the morning? "
SAID = FIRST + LATE
# What either model may say.
WORDS = ("long week", "armalade", *(row["text"][:40] for row in some_replies()))


@dataclass(frozen=True)
class Route:
    """One way to send words. ``model`` is asked, ``stages`` are what has to run."""

    name: str
    path: str
    model: str = ""
    stream: bool = False
    stages: tuple[Stage, ...] = (Stage.INPUT, Stage.OUTPUT)

    def __str__(self) -> str:
        kind = "stream" if self.stream else "whole"
        return f"{self.name}-{self.model or 'gates'}-{kind}"

    @property
    def body(self) -> dict[str, object]:
        if self.name == "predict":
            return {"input": {"text": ASKED}}
        if self.name == "infer":
            text = {"name": "text", "datatype": "BYTES", "shape": [1], "data": [ASKED]}
            return {"inputs": [text]}
        if self.name == "moderations":
            return {"input": SAID, "pe": {"stage": self.stages[0].value}}
        turns = [{"role": "user", "content": ASKED}]
        return {"model": self.model, "messages": turns, "stream": self.stream}


CHAT = "v1/chat/completions"
PREDICT = "api/v1/models/<slug:name>/predict"
MODERATE = "v1/moderations"
INFER = "v2/models/<slug:name>/infer"
BATCHES = "api/v1/batches"
ROUTES = (
    Route("predict", PREDICT, "support-reply"),
    Route("predict", PREDICT, "companion"),
    Route("infer", INFER, "support-reply"),
    Route("infer", INFER, "companion"),
    Route("batch", BATCHES, "support-reply"),
    Route("batch", BATCHES, "companion"),
    Route("chat", CHAT, "support-reply"),
    Route("chat", CHAT, "support-reply", stream=True),
    Route("chat", CHAT, "companion"),
    Route("chat", CHAT, "companion", stream=True),
    Route("moderations", MODERATE, stages=(Stage.INPUT,)),
    Route("moderations", MODERATE, stages=(Stage.OUTPUT,)),
)
# They take no words: what they say is facts about keys, models and records, rows of
# datasets under a grant, and what became of the lines of a batch.
WORDLESS = {
    "api/v1/batches/<uuid:job_id>",
    "api/v1/batches/<uuid:job_id>/cancel",
    "api/v1/batches/<uuid:job_id>/results",
    "api/v1/datasets/grants",
    "api/v1/datasets/grants/<uuid:grant_id>/rows",
    "api/v1/schema",
    "api/v1/me",
    "api/v1/models",
    "api/v1/requests/<uuid:request_id>",
    "api/v1/requests/<uuid:request_id>/replay",
    "v1/models",
    "v1/models/<path:name>",
    "v2",
    "v2/health/live",
    "v2/health/ready",
    "v2/models/<slug:name>",
    "v2/models/<slug:name>/ready",
    "v2/models/<slug:name>/versions/<slug:version>",
    "v2/models/<slug:name>/versions/<slug:version>/ready",
}
# The same view as without a version.
TWICE = {"v2/models/<slug:name>/versions/<slug:version>/infer"}
PREFIXES = ("api/", "v1/", "v2")
GATES_OF = {Stage.INPUT: INPUT_GATES, Stage.OUTPUT: OUTPUT_GATES}


def _api_routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _api_routes(pattern, route)
        elif isinstance(pattern, URLPattern) and route.startswith(
            ("api/", "v1/", "v2")
        ):
            yield route


@pytest.fixture
def serving(caller, issue, llm, served, chat_server):
    """Sends one route's words; the whole answer as text."""
    batcher = type(caller)(issue(name="archive", scopes=["inference:batch"])[1])

    def send(route: Route) -> str:
        chat_server.turns.append(Turn(chunks=(FIRST, LATE, "Goodbye.")))
        if route.name == "batch":
            return _answered_batch(batcher, route.model)
        path = "/" + route.path.replace("<slug:name>", route.model)
        response = caller.post(path, route.body)
        body = b"".join(response) if response.streaming else response.content
        assert response.status_code in (200, 503), body
        return body.decode()

    return send


def _answered_batch(batcher, model: str) -> str:
    line = orjson.dumps({"input": {"text": ASKED}})
    path = f"/{BATCHES}?model={model}"
    job = batcher.post(path, line, content_type="application/jsonl").json()["id"]
    running.run_batch(actor=system_actor("batch"), job_id=job)
    return batcher.get(f"/{BATCHES}/{job}/results").getvalue().decode()


@pytest.fixture
def ran(monkeypatch) -> set[tuple[Stage, str]]:
    """Which gates were asked, by stage."""
    asked: set[tuple[Stage, str]] = set()
    for name, kind in gate_classes().items():
        monkeypatch.setattr(kind, "inspect", _noting(kind.inspect, name, asked))
    return asked


def _noting(inspect, name, asked):
    def noting(self, inspection, thresholds):
        asked.add((inspection.stage, name))
        return inspect(self, inspection, thresholds)

    return noting


def break_gate(monkeypatch, gate: str, stage: Stage, only_on: str = "") -> None:
    """The gate fails from now on, on texts that hold ``only_on``."""
    kind = gate_classes()[gate]
    inspect = kind.inspect

    def broken(self, inspection, thresholds):
        if inspection.stage is stage and only_on in inspection.text:
            raise RuntimeError("this gate is broken")
        return inspect(self, inspection, thresholds)

    monkeypatch.setattr(kind, "inspect", broken)


def test_every_route_is_listed():
    known = WORDLESS | TWICE | {route.path for route in ROUTES}
    assert set(_api_routes(get_resolver())) == known


@pytest.mark.django_db
def test_every_gate_runs_on_every_route(serving, ran):
    for route in ROUTES:
        ran.clear()

        body = serving(route)

        due = {(stage, gate) for stage in route.stages for gate in GATES_OF[stage]}
        assert ran >= due, str(route)
        assert any(word in body for word in WORDS) or not route.model


@pytest.mark.django_db
@pytest.mark.parametrize("route", [route for route in ROUTES if route.model], ids=str)
def test_no_word_of_a_model_leaves_while_a_gate_is_broken(serving, monkeypatch, route):
    for stage in route.stages:
        for gate in sorted(GATES_OF[stage]):
            with monkeypatch.context() as broken:
                break_gate(broken, gate, stage)

                body = serving(route)

            case = f"{gate} on {stage.value}"
            assert not any(word in body for word in WORDS), case
            assert '"fixed"' in body, case
            assert "content_filter" in body or route.name != "chat", case


@pytest.mark.django_db
def test_a_moderation_flags_what_a_broken_gate_did_not_judge(serving, monkeypatch):
    for route in (route for route in ROUTES if not route.model):
        for gate in sorted(GATES_OF[route.stages[0]]):
            with monkeypatch.context() as broken:
                break_gate(broken, gate, route.stages[0])

                (result,) = json.loads(serving(route))["results"]

            assert result["flagged"], f"{gate} on {route}"
            assert result["pe"]["gates"][gate]["failed"]


@pytest.mark.django_db
@pytest.mark.parametrize("gate", sorted(OUTPUT_GATES))
def test_a_gate_that_breaks_in_a_stream_lets_nothing_more_out(
    serving, monkeypatch, gate
):
    (route,) = [r for r in ROUTES if r.stream and r.model == "companion"]
    break_gate(monkeypatch, gate, Stage.OUTPUT, only_on="Marmalade")

    body = serving(route)

    assert "long week" in body
    assert "armalade" not in body
    assert "content_filter" in body
