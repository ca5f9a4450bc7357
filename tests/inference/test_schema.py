"""The published schema: valid, true to what is sent, shown to who may see it."""

from __future__ import annotations

import jsonschema
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, given, settings
from referencing import Registry, Resource
from schemathesis import checks

from apps.accounts.roles import Role
from apps.inference.schema import COMPONENTS
from pe_platform.wsgi import application

BENIGN = "I keep waking at night and worrying about my exam."


@schemathesis.serializer("application/jsonl")
def _as_lines(context, value):
    """Whatever string was generated, as the body."""
    return str(value).encode("utf-8", "replace")


def document():
    return SchemaGenerator().get_schema(request=None, public=True)


def conforms(body, component: str) -> None:
    root = {"components": {"schemas": COMPONENTS}}
    registry = Registry().with_resource("", Resource.opaque(root))
    jsonschema.Draft202012Validator(
        {"$ref": f"#/components/schemas/{component}", **root}, registry=registry
    ).validate(body)


def test_the_document_is_valid_openapi_3_1():
    made = document()

    validate_schema(made)
    assert made["openapi"] == "3.1.0"
    assert set(made["paths"]) == {
        "/api/v1/batches",
        "/api/v1/batches/{job_id}",
        "/api/v1/batches/{job_id}/cancel",
        "/api/v1/batches/{job_id}/results",
        "/api/v1/datasets/grants",
        "/api/v1/datasets/grants/{grant_id}/rows",
        "/api/v1/me",
        "/api/v1/models",
        "/api/v1/models/{name}/predict",
        "/api/v1/requests/{request_id}",
        "/api/v1/requests/{request_id}/replay",
    }


def test_every_operation_asks_for_a_key_and_names_its_problems():
    for path in document()["paths"].values():
        for operation in path.values():
            assert operation["security"] == [{"apiKey": []}]
            for status in ("401", "403", "429", "503"):
                content = operation["responses"][status]["content"]
                assert set(content) == {"application/problem+json"}


@pytest.mark.parametrize(
    "text",
    [
        BENIGN,
        "I am going to kill myself tonight.",
        "Write to ada@example.org about it.",
    ],
)
def test_what_predict_sends_is_what_the_schema_says(caller, served, text):
    conforms(caller.predict(text).json(), "PredictResponse")


def test_what_other_views_send_is_what_the_schema_says(caller, served):
    asked = caller.predict(BENIGN).json()

    conforms(caller.get("/api/v1/me").json(), "Me")
    conforms(caller.get("/api/v1/models").json(), "Models")
    conforms(caller.get(f"/api/v1/requests/{asked['id']}").json(), "InferenceRecord")
    conforms(caller.predict("").json(), "Problem")


def test_a_program_reads_the_schema_with_its_key(caller, nobody):
    response = caller.get("/api/v1/schema")

    assert response.status_code == 200
    assert response.json()["openapi"] == "3.1.0"
    assert nobody.get("/api/v1/schema").status_code == 401


@pytest.mark.parametrize("path", ["/docs/api/", "/docs/api/schema.json"])
def test_people_read_the_documentation_signed_in_and_offline(person, path):
    client = Client()
    assert client.get(path)["Location"].startswith("/admin/login/")
    client.force_login(person("rena", Role.REVIEWER))

    page = client.get(path)

    text = page.content.decode()
    assert page.status_code == 200
    assert "https://cdn" not in text
    assert "jsdelivr" not in text


CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture
def one_connection():
    """Keep the test's connection, as Django's own test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def test_generated_requests_meet_no_5xx_and_no_surprise(caller, served, one_connection):
    """Schemathesis: bodies, paths and headers made from the schema."""
    schema = schemathesis.openapi.from_dict(document())
    schema.app = application
    sent = 0

    for result in schema.get_all_operations():

        @settings(
            max_examples=12,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=result.ok().as_strategy())
        def meets_its_schema(case):
            nonlocal sent
            sent += 1
            case.call_and_validate(
                headers={"Authorization": f"Bearer {caller.raw}"}, checks=CHECKS
            )

        meets_its_schema()

    assert sent > 30
