"""Models on a server that speaks the Open Inference Protocol v2 (Triton, KServe,
MLServer, OpenVINO): texts as a BYTES tensor out, texts or scores back.

What is signed for is ``endpoint.json``: the address, the model's name and version
there, and what its tensors mean. What that server runs is its own; its words pass the
same gates as any model's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx
import numpy as np
from django.conf import settings
from jsonschema import Draft202012Validator

from apps.core.errors import Unavailable
from apps.models_registry.adapters.base import GuardedAdapter
from apps.models_registry.adapters.deadlines import deadline_of
from apps.models_registry.adapters.remote_calls import CheckedTransport, RemoteCaller
from apps.models_registry.adapters.text_bundle import prediction_of, predictions_of
from apps.models_registry.contracts import Prediction, TextRequest, VerifiedBytes
from apps.models_registry.errors import ArtifactDamaged

ENDPOINT_FILE = "endpoint.json"
# About what a client and its connections hold.
CLIENT_BYTES = 1 << 20
_NAME = {"type": "string", "pattern": r"^[A-Za-z0-9._-]{1,100}$"}
# The published form of endpoint.json. Any: a JSON Schema.
ENDPOINT_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["url", "model", "input"],
    "anyOf": [{"required": ["output_text"]}, {"required": ["output_scores", "labels"]}],
    "properties": {
        "url": {"type": "string", "pattern": "^https?://[^/?#@]+$"},
        "model": _NAME,
        "version": _NAME,
        "input": _NAME,
        "input_is_column": {"type": "boolean"},
        "output_text": _NAME,
        "output_scores": _NAME,
        "scores_are": {"enum": ["probabilities", "logits"]},
        "labels": {
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": 80},
            "minItems": 2,
            "maxItems": 1000,
            "uniqueItems": True,
        },
        "timeout_ms": {"type": "integer", "minimum": 10, "maximum": 60000},
        "retries": {"type": "integer", "minimum": 0, "maximum": 3},
        "max_batch": {"type": "integer", "minimum": 1, "maximum": 256},
        "token": _NAME,
    },
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model elsewhere. ``token`` names a secret of PE_REMOTE_TOKENS; with
    ``input_is_column`` the texts have the shape (n, 1) instead of (n,)."""

    url: str
    model: str
    input: str
    version: str = ""
    input_is_column: bool = False
    output_text: str = ""
    output_scores: str = ""
    scores_are: str = "probabilities"
    labels: tuple[str, ...] = ()
    timeout_ms: int = 2000
    retries: int = 1
    max_batch: int = 32
    token: str = ""

    @property
    def path(self) -> str:
        version = f"/versions/{self.version}" if self.version else ""
        return f"/v2/models/{self.model}{version}/infer"


def read_endpoint(content: bytes) -> Endpoint:
    """The endpoint of a version; ArtifactDamaged when it misses the schema."""
    try:
        document = json.loads(content)
    except ValueError as error:
        raise ArtifactDamaged(f"{ENDPOINT_FILE} is not JSON in UTF-8.") from error
    problem = next(Draft202012Validator(ENDPOINT_SCHEMA).iter_errors(document), None)
    if problem is not None:
        place = ".".join(map(str, problem.absolute_path)) or "document"
        raise ArtifactDamaged(f"{ENDPOINT_FILE}, {place}: {problem.message}")
    return Endpoint(**{**document, "labels": tuple(document.get("labels", ()))})


class RemoteTensorAdapter(GuardedAdapter):
    """Unloading ends a call at the latest when its ``timeout_ms`` is over."""

    name = "remote_tensor"
    version = "1"
    files = (ENDPOINT_FILE,)

    def __init__(self) -> None:
        self._caller: RemoteCaller | None = None
        self._endpoint: Endpoint | None = None
        self._version_digest = ""

    def load(
        self, artifacts: Mapping[str, VerifiedBytes], *, version_digest: str
    ) -> None:
        """ArtifactDamaged for another form; Unavailable without the token it names."""
        endpoint = read_endpoint(artifacts[ENDPOINT_FILE].content)
        headers = {"Content-Type": "application/json"}
        if endpoint.token:
            headers["Authorization"] = f"Bearer {_token(endpoint.token)}"
        client = httpx.Client(
            base_url=endpoint.url,
            transport=CheckedTransport(settings.PE_REMOTE_ALLOWED_HOSTS),
            headers=headers,
            trust_env=False,
            follow_redirects=False,
        )
        self._caller = RemoteCaller(
            client, timeout_s=endpoint.timeout_ms / 1000, retries=endpoint.retries
        )
        self._endpoint, self._version_digest = endpoint, version_digest

    def _predict(self, batch: Sequence[TextRequest]) -> list[Prediction]:
        caller, endpoint = self._caller, self._endpoint
        if caller is None or endpoint is None:
            raise Unavailable("The model is not loaded.")
        deadline = deadline_of(batch)
        found: list[Prediction] = []
        for first in range(0, len(batch), endpoint.max_batch):
            texts = [item.text for item in batch[first : first + endpoint.max_batch]]
            start = time.perf_counter()
            body = caller.post(endpoint.path, _question(endpoint, texts), deadline)
            answers = _answers(endpoint, body, len(texts), self._version_digest)
            share_ms = (time.perf_counter() - start) * 1000 / len(texts)
            found += [replace(one, elapsed_ms=share_ms) for one in answers]
        return found

    def signature(self) -> Mapping[str, object]:
        labels = list(self._endpoint.labels) if self._endpoint else []
        return {"input": "TextRequest", "output": "Prediction", "labels": labels}

    def unload(self) -> None:
        caller, self._caller, self._endpoint = self._caller, None, None
        if caller is not None:
            caller.close()

    @property
    def memory_bytes(self) -> int:
        return CLIENT_BYTES if self._caller is not None else 0


def _token(name: str) -> str:
    try:
        return str(settings.PE_REMOTE_TOKENS[name])
    except KeyError as error:
        raise Unavailable(f"PE_REMOTE_TOKENS has no token named {name}.") from error


def _question(endpoint: Endpoint, texts: Sequence[str]) -> bytes:
    shape = [len(texts), 1] if endpoint.input_is_column else [len(texts)]
    wanted = filter(None, (endpoint.output_text, endpoint.output_scores))
    # A lone surrogate is no character, and JSON in UTF-8 cannot carry it.
    clean = [text.encode("utf-8", "replace").decode() for text in texts]
    tensor = {
        "name": endpoint.input,
        "datatype": "BYTES",
        "shape": shape,
        "data": clean,
    }
    body = {"inputs": [tensor], "outputs": [{"name": name} for name in wanted]}
    return json.dumps(body).encode()


def _answers(
    endpoint: Endpoint, body: bytes, count: int, version_digest: str
) -> list[Prediction]:
    """One prediction a text; Unavailable when the tensors are not those expected."""
    try:
        tensors = {one["name"]: one["data"] for one in json.loads(body)["outputs"]}
        if endpoint.output_scores:
            scores = np.array(tensors[endpoint.output_scores], np.float64)
            found = _scored(endpoint, scores.reshape(count, -1), version_digest)
        else:
            found = [Prediction("", {}, "", version_digest, 0.0)] * count
        if endpoint.output_text:
            texts = np.array(tensors[endpoint.output_text], dtype=object).reshape(count)
            found = [
                replace(one, text=_text(text), reply_id="")
                for one, text in zip(found, texts, strict=True)
            ]
    except (ValueError, KeyError, TypeError) as error:
        raise Unavailable("The model server's answer is of another form.") from error
    return found


# Any: a numpy array of shape (texts, labels).
def _scored(endpoint: Endpoint, scores: Any, version_digest: str) -> list[Prediction]:
    if scores.shape[1] != len(endpoint.labels):
        raise ValueError("another number of scores than labels")
    if endpoint.scores_are == "logits":
        return predictions_of(scores, endpoint.labels, version_digest)
    return [prediction_of(row, endpoint.labels, version_digest) for row in scores]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value
