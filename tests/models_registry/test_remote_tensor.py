"""Calls to model servers elsewhere: where they go, what is repeated, when they stop."""

from __future__ import annotations

import pytest

from apps.core.errors import Unavailable
from apps.models_registry.adapters import remote_calls
from apps.models_registry.adapters.remote_calls import Breaker, RetryBudget, is_public
from apps.models_registry.adapters.remote_tensor import RemoteTensorAdapter
from apps.models_registry.contracts import TextRequest
from apps.models_registry.errors import ArtifactDamaged, PredictionFailed
from tests.models_registry import bundles
from tests.models_registry.model_server import ModelServer, scores_of

ASKED = [TextRequest("rain"), TextRequest("i sleep badly")]


@pytest.fixture
def server():
    made = ModelServer()
    yield made
    made.close()


@pytest.fixture
def connect(server, settings):
    """An adapter on the server: ``connect(output_text="reply")``."""
    settings.PE_REMOTE_ALLOWED_HOSTS = [server.host]
    made = []

    def make(**changes) -> RemoteTensorAdapter:
        adapter = RemoteTensorAdapter()
        files = bundles.held({"endpoint.json": server.endpoint(**changes)})
        adapter.load(files, version_digest="v1")
        made.append(adapter)
        return adapter

    yield make
    for adapter in made:
        adapter.unload()


def test_scores_become_labels(connect, server):
    found = connect(version="3").predict(ASKED)

    path, _, body = server.seen[0]
    assert path == "/v2/models/tiny/versions/3/infer"
    assert body["inputs"][0]["shape"] == [2]
    assert list(found[0].labels.values()) == pytest.approx(scores_of("rain"))


def test_texts_come_back_as_texts(connect, server):
    asking = connect(output_text="reply", output_scores=None, labels=None,
                     input_is_column=True, max_batch=1)  # fmt: skip

    found = asking.predict(ASKED)

    assert [one.text for one in found] == [
        "You wrote 4 letters.",
        "You wrote 13 letters.",
    ]
    assert [body["inputs"][0]["shape"] for _, _, body in server.seen] == [[1, 1]] * 2
    assert found[0].labels == {}


def test_logits_become_probabilities(connect, server):
    server.answers = [(200, b'{"outputs": [{"name": "scores", "data": [0, 0, 9]}]}')]

    (found,) = connect(scores_are="logits").predict(ASKED[:1])

    assert found.text == bundles.LABELS[2]
    assert sum(found.labels.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b"{}",
        b'{"outputs": [{"name": "scores", "data": [1, 2]}]}',
        b'{"outputs": [{"name": "scores", "data": ["a", "b", "c", "d", "e", "f"]}]}',
        b'{"outputs": [{"name": "scores", "data": [NaN, 1, 1, 1, 1, 1]}]}',
    ],
)
def test_an_answer_of_another_form_is_no_prediction(connect, server, body):
    server.answers = [(200, body)]

    with pytest.raises(PredictionFailed):
        connect().predict(ASKED)


def test_what_may_pass_is_tried_once_more(connect, server):
    server.answers = [(503, b"")]

    assert connect().predict(ASKED)
    assert len(server.seen) == 2


@pytest.mark.parametrize("status", [302, 400, 500])
def test_other_statuses_are_not_repeated_or_followed(connect, server, status):
    server.answers = [(status, b"")]

    with pytest.raises(PredictionFailed):
        connect().predict(ASKED)

    assert len(server.seen) == 1


def test_a_server_that_keeps_failing_is_left_alone(connect, server):
    server.answers = [(500, b"")] * 9
    adapter = connect(retries=0)
    for _ in range(5):
        with pytest.raises(PredictionFailed):
            adapter.predict(ASKED)

    with pytest.raises(PredictionFailed) as left_alone:
        adapter.predict(ASKED)

    assert isinstance(left_alone.value.__cause__, Unavailable)
    assert len(server.seen) == 5


def test_the_breaker_lets_one_call_try_again():
    now = [0.0]
    breaker = Breaker(failures=2, open_s=10, clock=lambda: now[0])
    breaker.failed()
    breaker.failed()
    with pytest.raises(Unavailable):
        breaker.enter()

    now[0] = 11.0
    breaker.enter()
    with pytest.raises(Unavailable):
        breaker.enter()
    breaker.succeeded()

    breaker.enter()


def test_the_retry_budget_is_a_tenth_of_the_calls():
    budget = RetryBudget()
    while budget.spend():
        pass

    for _ in range(25):
        budget.called()

    assert [budget.spend() for _ in range(3)] == [True, True, False]


def test_an_answer_that_never_ends_is_cut_off(connect, server, monkeypatch):
    monkeypatch.setattr(remote_calls, "MOST_ANSWER_BYTES", 100)
    server.answers = [(200, b"x" * 101)]

    with pytest.raises(PredictionFailed):
        connect().predict(ASKED)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "::1", "fe80::1%eth0",
     "::ffff:10.0.0.1", "0.0.0.0", "224.0.0.1", "100.64.0.1", "2002:0a00:0001::"],
)  # fmt: skip
def test_addresses_inside_are_not_public(address):
    assert not is_public(address)
    assert is_public("93.184.216.34")
    assert is_public("2606:2800:220:1:248:1893:25c8:1946")


def test_private_addresses_and_plain_http_need_a_setting(connect, server, settings):
    settings.PE_REMOTE_ALLOWED_HOSTS = []
    plain = connect()
    hidden = connect(url="https://localhost:8443")

    for adapter in (plain, hidden):
        with pytest.raises(PredictionFailed) as refused:
            adapter.predict(ASKED)
        assert refused.value.code == "endpoint_refused"
    assert server.seen == []


def test_a_token_comes_from_the_settings_and_is_sent(connect, server, settings):
    settings.PE_REMOTE_TOKENS = {"triton": "secret-token"}

    connect(token="triton").predict(ASKED)

    assert server.seen[0][1]["Authorization"] == "Bearer secret-token"
    with pytest.raises(Unavailable, match="no token named other"):
        connect(token="other")


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "ftp://host"},
        {"url": "https://user@host"},
        {"url": "https://host/path"},
        {"model": "../x"},
        {"output_scores": None},
        {"labels": None},
        {"timeout_ms": 0},
        {"code": "x"},
    ],
)
def test_an_endpoint_of_another_form_is_refused(connect, changes):
    with pytest.raises(ArtifactDamaged, match=r"endpoint\.json"):
        connect(**changes)
