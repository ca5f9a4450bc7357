"""Compose, chart and image say the same as the settings they carry."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "pe-platform"
sys.path.insert(0, str(DEPLOY / "helm"))

import make_schema  # noqa: E402

SECRETS = {
    "PE_SECRET_KEY",
    "PE_AUDIT_KEY",
    "PE_CHECKPOINT_KEY",
    "PE_API_KEY_PEPPER",
    "PE_TEXT_DIGEST_KEY",
    "PE_METRICS_TOKEN",
}
VARIABLE = re.compile(r"\b(PE_[A-Z0-9_]+)\b")
# Read by the deployment itself, not by settings.
OWN = {
    "PE_IMAGE", "PE_HOST", "PE_PAGE_WEBHOOK_URL", "PE_TICKET_WEBHOOK_URL",
    "PE_WORKER_PROCESSES",
}  # fmt: skip


def compose() -> dict:
    return yaml.safe_load((DEPLOY / "compose.yml").read_text())


def values(name: str = "values.yaml") -> dict:
    return yaml.safe_load((CHART / name).read_text())


def merged(base: dict, over: dict) -> dict:
    """As Helm does it: objects are merged, everything else is replaced."""
    result = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


def known_variables() -> set[str]:
    sources = [
        *(ROOT / "pe_platform").rglob("*.py"),
        DEPLOY / "gunicorn.conf.py",
        DEPLOY / "worker.sh",
    ]
    return {
        name for path in sources for name in VARIABLE.findall(path.read_text())
    } | OWN


def test_compose_runs_a_worker_for_every_queue():
    services = compose()["services"]
    served = [
        service["command"][1]
        for name, service in services.items()
        if name.startswith("worker-")
    ]

    assert sorted(served) == sorted(settings.PE_QUEUES)


def test_prometheus_scrapes_every_worker_of_compose():
    config = yaml.safe_load((DEPLOY / "monitoring" / "prometheus.yml").read_text())
    targets = {
        target.partition(":")[0]
        for job in config["scrape_configs"]
        for static in job["static_configs"]
        for target in static["targets"]
    }

    services = set(compose()["services"])
    assert targets == {"web"} | {name for name in services if "worker-" in name}


def test_every_process_of_ours_is_confined_in_compose():
    ours = {
        name: service
        for name, service in compose()["services"].items()
        if "pe-platform" in str(service["image"])
    }

    assert len(ours) == 9
    for name, service in ours.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["stop_grace_period"] == "45s", name


def test_the_chart_has_a_worker_for_every_queue():
    assert list(values()["workers"]) == list(settings.PE_QUEUES)


@pytest.mark.parametrize(
    "path",
    [
        DEPLOY / "compose.yml",
        DEPLOY / "Dockerfile",
        *sorted((CHART / "templates").glob("*")),
        *sorted(CHART.glob("values*.yaml")),
    ],
    ids=lambda path: path.name,
)
def test_every_variable_that_is_set_is_read_somewhere(path):
    if path.is_dir():
        path = next(path.glob("*.yaml"))

    assert set(VARIABLE.findall(path.read_text())) <= known_variables()


def test_compose_secrets_are_complete_and_random():
    command = (sys.executable, str(DEPLOY / "compose_secrets.py"))
    first, second = (
        dict(
            line.partition("=")[::2]
            for line in subprocess.run(
                command, capture_output=True, text=True, check=True
            ).stdout.splitlines()
        )
        for _ in range(2)
    )

    assert set(first) >= SECRETS
    assert all(len(first[name]) == 64 for name in SECRETS)
    assert len({first[name] for name in SECRETS}) == len(SECRETS)
    assert not any(first[name] == second[name] for name in SECRETS)


def test_the_schema_of_values_is_what_its_code_says():
    written = (CHART / "values.schema.json").read_text()

    assert written == make_schema.rendered(), "run make monitoring"


@pytest.mark.parametrize("target", ["kind", "eks", "gke", "aks"])
def test_values_of_each_target_fit_the_schema(target):
    schema = json.loads((CHART / "values.schema.json").read_text())

    jsonschema.validate(merged(values(), values(f"values-{target}.yaml")), schema)


@pytest.mark.parametrize(
    "over",
    [
        {"host": "no-dots"},
        {"web": {"replicas": 0}},
        {"image": {"tag": "latest"}},
        {"unknown": 1},
        {"environment": {"PE_SECRET_KEY": "in values"}},
        {"environment": {"DATABASE_URL": "postgres://u:p@h/d"}},
        {"workers": {"training": {"gpu": {"count": -1}}}},
    ],
    ids=str,
)
def test_the_schema_refuses_what_would_not_run(over):
    schema = json.loads((CHART / "values.schema.json").read_text())
    good = merged(values(), values("values-kind.yaml"))

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(merged(good, over), schema)


def test_pods_have_longer_to_end_than_work_has_to_finish():
    helpers = (CHART / "templates" / "_helpers.tpl").read_text()
    added = int(re.search(r"add \.Values\.drainSeconds (\d+)", helpers).group(1))

    assert values()["drainSeconds"] >= settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT
    assert added >= 10


def test_the_image_is_built_from_what_is_listed_alone():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}

    assert "*" in ignored
    assert not any(name.startswith((".env", "var", ".git", "tests")) for name in let_in)
    assert all((ROOT / name).exists() for name in let_in)
