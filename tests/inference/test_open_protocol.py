"""The Open Inference Protocol, as an official client and as plain HTTP speak it."""

from __future__ import annotations

import gzip
import json
import warnings

import numpy as np
import pytest

from apps.inference.models import InferenceRecord
from apps.safety.models import Escalation
from tests.inference.test_journey import BENIGN, CRISIS

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import tritonclient.http as oip
    from tritonclient.utils import InferenceServerException

MODEL = "support-reply"
INFER = f"/v2/models/{MODEL}/infer"


def body(*texts: str, **more) -> dict:
    tensor = {"name": "text", "datatype": "BYTES", "shape": [len(texts)], "data": texts}
    return {"inputs": [tensor], **more}


def outputs(response) -> dict[str, list]:
    return {one["name"]: one["data"] for one in response.json()["outputs"]}


def test_an_infer_request_is_gated_recorded_and_answered(caller, served):
    response = caller.post(INFER, body(BENIGN, id="mine"))

    found = outputs(response)
    record = InferenceRecord.objects.get()
    assert response.status_code == 200, response.content
    assert response.json()["id"] == "mine"
    assert response.json()["model_version"] == "1"
    assert found["source"] == ["model"]
    assert found["decision"] == ["allow"]
    assert found["request_id"] == [str(record.pk)]
    assert set(record.verdicts["input"]) == {"crisis", "toxicity", "privacy"}
    assert len(record.verdicts["output"]) == 6
    assert sum(found["scores"]) == pytest.approx(1)
    assert sorted(found["scores"], reverse=True) == found["scores"]
    assert "RateLimit" in response


def test_each_text_has_its_own_decision(caller, served):
    response = caller.post(INFER, body(BENIGN, CRISIS, "Call me on 212-555-0100."))

    found = outputs(response)
    assert found["decision"] == ["allow", "escalate", "mask"]
    assert found["source"] == ["model", "fixed", "model"]
    assert found["labels"][8:16] == [""] * 8
    assert json.loads(found["contacts"][1])
    assert Escalation.objects.count() == 1
    assert InferenceRecord.objects.count() == 3


def test_only_the_outputs_asked_for_are_sent(caller, served):
    response = caller.post(INFER, body(BENIGN, outputs=[{"name": "labels"}]))

    assert list(outputs(response)) == ["labels"]
    record = InferenceRecord.objects.get()
    assert record.decision == "allow"
    assert len(record.verdicts["output"]) == 6


def test_a_crisis_is_answered_though_the_model_is_unknown(caller, served):
    response = caller.post("/v2/models/no-such-model/infer", body(CRISIS))

    assert response.status_code == 200
    assert outputs(response)["decision"] == ["escalate"]


def test_a_version_that_is_not_in_production_is_refused(caller, served):
    response = caller.post(f"/v2/models/{MODEL}/versions/7/infer", body(BENIGN))

    assert response.status_code == 503
    assert response.json()["code"] == "model_not_serving"
    assert response.json()["error"] == response.json()["detail"]
    assert caller.post(f"/v2/models/{MODEL}/versions/1/infer", body(BENIGN)
                       ).status_code == 200  # fmt: skip


def test_a_problem_holds_every_texts_answer(caller, gates_warm):
    response = caller.post(INFER, body(BENIGN, CRISIS))

    assert response.status_code == 503
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "no_policy_in_force"
    assert response.json()["contacts"]
    assert outputs(response)["decision"] == ["unavailable", "escalate"]
    assert outputs(response)["source"] == ["fixed", "fixed"]


BAD = {
    "no inputs": {},
    "another input": {"inputs": [{"name": "x"}]},
    "numbers": {"inputs": [{"name": "text", "datatype": "FP32", "shape": [1]}]},
    "shape": {"inputs": [{**body("a")["inputs"][0], "shape": [2]}]},
    "no shape": {"inputs": [{**body("a")["inputs"][0], "shape": None}]},
    "data": {"inputs": [{**body("a")["inputs"][0], "data": [1]}]},
    "empty text": body(""),
    "no texts": body(),
    "too many": body(*["a"] * 33),
    "twice": {"inputs": body("a")["inputs"] * 2},
    "output": body("a", outputs=[{"name": "secret"}]),
    "output form": body("a", outputs=[1]),
    "parameters": body("a", parameters=[]),
    "locale": body("a", parameters={"locale": "?!"}),
    "id": body("a", id=3),
    "binary": {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1],
                           "parameters": {"binary_data_size": 9}}]},
    "depth": {"inputs": [{**body("a")["inputs"][0], "data": [[[[[["a"]]]]]]}]},
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_body_of_another_form_is_a_problem_with_contacts(caller, served, name):
    response = caller.post(INFER, BAD[name])

    assert response.status_code == 422, response.content
    assert response.json()["code"] == "invalid_field"
    assert response.json()["error"]
    assert response.json()["contacts"]
    assert not InferenceRecord.objects.exists()


@pytest.mark.parametrize(
    ("raw", "length"), [(b"\x05\x00\x00\x00abc", "x"), (b"\x05\x00", None)]
)
def test_binary_data_that_does_not_add_up_is_refused(caller, served, raw, length):
    asked = body("a")
    asked["inputs"][0]["parameters"] = {"binary_data_size": len(raw)}
    head = json.dumps(asked).encode()
    size = length or str(len(head))

    response = caller.post(
        INFER,
        head + raw,
        content_type="application/octet-stream",
        Inference_Header_Content_Length=size,
    )

    assert response.status_code == 422


def test_a_compressed_body_is_read_and_bounded(caller, served, settings):
    packed = gzip.compress(json.dumps(body(BENIGN)).encode())
    bomb = gzip.compress(b" " * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1))

    answered = caller.post(INFER, packed, Content_Encoding="gzip")
    refused = caller.post(INFER, bomb, Content_Encoding="gzip")
    cut = caller.post(INFER, packed[:-4], Content_Encoding="gzip")
    unknown = caller.post(INFER, packed, Content_Encoding="br")

    assert answered.status_code == 200
    assert (refused.status_code, cut.status_code) == (413, 400)
    assert unknown.status_code == 415


def test_a_key_is_needed_for_everything(nobody, issue):
    reader = type(nobody)(issue(scopes=["models:read"])[1])

    for path in ("/v2", "/v2/health/live", "/v2/health/ready", f"/v2/models/{MODEL}"):
        assert nobody.get(path).status_code == 401
        assert nobody.get(path).json()["error"]
    assert reader.post(INFER, body(BENIGN)).status_code == 403


def test_models_are_known_only_when_they_are_served_to_this_key(caller, model):
    assert caller.get(f"/v2/models/{MODEL}").status_code == 404
    assert caller.get(f"/v2/models/{MODEL}/ready").status_code == 404


def test_many_texts_cost_as_many_requests(issue, tier, served, caller):
    tier.requests_per_second, tier.burst = 0.1, 3
    tier.save()
    slow = type(caller)(issue(name="slow", tier=tier)[1])

    refused = slow.post(INFER, body(*[BENIGN] * 4))

    assert refused.status_code == 429
    assert refused["Retry-After"]
    assert not InferenceRecord.objects.exists()


@pytest.fixture
def official(live_server, caller, served):
    """Triton's own client against a server that listens."""
    client = oip.InferenceServerClient(live_server.url.removeprefix("http://"))
    yield client, {"Authorization": f"Bearer {caller.raw}"}
    client.close()


@pytest.mark.django_db(transaction=True)
def test_the_official_client_works_unchanged(official):
    client, key = official
    texts = np.array([BENIGN, CRISIS], dtype=object)
    asked = oip.InferInput("text", [2], "BYTES").set_data_from_numpy(texts)

    metadata = client.get_model_metadata(MODEL, headers=key)
    result = client.infer(MODEL, [asked], headers=dict(key), request_id="7")
    packed = client.infer(
        MODEL, [asked], headers=dict(key), request_compression_algorithm="gzip",
        outputs=[oip.InferRequestedOutput("text", binary_data=False)],
        parameters={"locale": "en-GB"},
    )  # fmt: skip

    assert client.is_server_live(headers=key)
    assert client.is_server_ready(headers=key)
    assert client.is_model_ready(MODEL, headers=key)
    assert not client.is_model_ready("no-such-model", headers=key)
    assert client.get_server_metadata(headers=key)["extensions"] == [
        "binary_tensor_data"
    ]
    assert metadata["inputs"][0] == {"name": "text", "datatype": "BYTES", "shape": [-1]}
    assert result.get_response()["id"] == "7"
    assert list(result.as_numpy("decision")) == [b"allow", b"escalate"]
    assert list(result.as_numpy("source")) == [b"model", b"fixed"]
    assert result.as_numpy("scores").shape == (2, 8)
    assert result.as_numpy("scores")[0].sum() == pytest.approx(1, abs=1e-4)
    assert "116 123" in packed.as_numpy("text")[1]
    with pytest.raises(InferenceServerException, match="no such model") as refused:
        client.infer("no-such-model", [asked], headers=dict(key))
    assert refused.value.status() == "404"
