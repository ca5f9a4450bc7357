"""Writes values.schema.json of the chart: what may stand in values, and no more.

Generated, because JSON repeats itself where one line of Python does: the same worker
six times. `python deploy/helm/make_schema.py`; a test compares the file with this.
"""

from __future__ import annotations

import json
from pathlib import Path

CHART = Path(__file__).parent / "pe-platform"
QUEUES = ("escalation", "inference", "batch", "training", "evaluation", "maintenance")

Schema = dict[str, object]

FLAG: Schema = {"type": "boolean"}
TEXT: Schema = {"type": "string"}
NAME: Schema = {
    "type": "string",
    "pattern": "^$|^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$",
    "description": "the name of a Kubernetes object, or nothing",
}
HOST: Schema = {
    "type": "string",
    "pattern": r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$",
    "description": "a host name such as support.example.org",
}
# A tag that moves would make two replicas of one release differ.
TAG: Schema = {"type": "string", "minLength": 1, "not": {"const": "latest"}}
CPU: Schema = {
    "type": ["string", "integer"],
    "pattern": r"^([0-9]+m|[0-9]+(\.[0-9]+)?)$",
}
MEMORY: Schema = {"type": "string", "pattern": "^[0-9]+(Ki|Mi|Gi|Ti)$"}
FREE: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
TOLERATIONS: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "key": TEXT,
            "operator": {"enum": ["Exists", "Equal"]},
            "value": TEXT,
            "effect": {"enum": ["NoSchedule", "PreferNoSchedule", "NoExecute"]},
            "tolerationSeconds": {"type": "integer", "minimum": 0},
        },
    },
}


def closed(properties: dict[str, Schema], *required: str) -> Schema:
    """An object with these properties and no others."""
    schema: Schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }
    if required:
        schema["required"] = list(required)
    return schema


def between(minimum: int, maximum: int) -> Schema:
    return {"type": "integer", "minimum": minimum, "maximum": maximum}


def resources() -> Schema:
    """Requests are needed, or nothing can be scheduled well; memory has a limit."""
    amounts: dict[str, Schema] = {"cpu": CPU, "memory": MEMORY}
    return closed(
        {
            "requests": closed(amounts, "cpu", "memory"),
            "limits": closed(amounts, "memory"),
        },
        "requests",
        "limits",
    )


def worker() -> Schema:
    return closed(
        {
            "replicas": between(0, 100),
            "processes": between(1, 64),
            "resources": resources(),
            "gpu": closed({"count": between(0, 16)}, "count"),
            "keda": closed(
                {
                    "min": between(0, 100),
                    "max": between(1, 500),
                    "messages": between(1, 100_000),
                },
                "min",
                "max",
                "messages",
            ),
            "nodeSelector": FREE,
            "tolerations": TOLERATIONS,
        },
        "replicas",
        "processes",
        "resources",
        "gpu",
        "keda",
    )


def release() -> dict[str, Schema]:
    """What runs, under which name, with which secrets."""
    return {
        "image": closed(
            {
                "repository": {"type": "string", "minLength": 1},
                "tag": TAG,
                "cudaTag": TAG,
                "digest": {"type": "string", "pattern": "^$|^sha256:[0-9a-f]{64}$"},
                "pullPolicy": {"enum": ["IfNotPresent", "Always", "Never"]},
                "pullSecrets": {"type": "array", "items": TEXT},
            },
            "repository",
            "tag",
        ),
        "host": HOST,
        "ingress": closed(
            {
                "enabled": FLAG,
                "className": {"type": "string", "minLength": 1},
                "tlsSecretName": NAME,
                "clusterIssuer": NAME,
                "annotations": FREE,
            }
        ),
        "secrets": closed(
            {
                "existingSecret": NAME,
                "external": closed(
                    {
                        "enabled": FLAG,
                        "storeKind": {"enum": ["ClusterSecretStore", "SecretStore"]},
                        "storeName": NAME,
                        "key": TEXT,
                        "refreshInterval": {
                            "type": "string",
                            "pattern": "^[0-9]+(s|m|h)$",
                        },
                    }
                ),
            }
        ),
        "environment": {
            "type": "object",
            "additionalProperties": {"type": ["string", "integer", "boolean"]},
            "propertyNames": {
                "pattern": "^[A-Z][A-Z0-9_]*$",
                # Secrets come from a Secret, never from values.
                "not": {
                    "pattern": "(_KEY|_TOKEN|_SECRET|_PASSWORD|_PEPPER|_URL)$",
                },
            },
        },
        "drainSeconds": between(5, 600),
    }


def workloads() -> dict[str, Schema]:
    """The processes, their number and their size."""
    return {
        "web": closed(
            {
                "replicas": between(1, 100),
                "processes": between(1, 64),
                "resources": resources(),
                "hpa": closed(
                    {
                        "enabled": FLAG,
                        "minReplicas": between(1, 100),
                        "maxReplicas": between(1, 500),
                        "cpuPercent": between(10, 95),
                    }
                ),
                "nodeSelector": FREE,
                "tolerations": TOLERATIONS,
            },
            "replicas",
            "processes",
            "resources",
        ),
        "workers": closed({queue: worker() for queue in QUEUES}, *QUEUES),
        "gpu": closed(
            {
                "resource": {"type": "string", "pattern": "^[a-z.]+/[a-z0-9.-]+$"},
                "nodeSelector": FREE,
                "tolerations": TOLERATIONS,
            }
        ),
        "beat": closed({"resources": resources()}),
        "migration": closed(
            {"timeoutSeconds": between(30, 86_400), "resources": resources()}
        ),
    }


def surroundings() -> dict[str, Schema]:
    """Storage, scaling, monitoring, network, identity and the smoke test."""
    return {
        "storage": closed(
            {
                "existingClaim": NAME,
                "className": NAME,
                "accessMode": {"enum": ["ReadWriteMany", "ReadWriteOnce"]},
                "size": MEMORY,
                "scratch": MEMORY,
            }
        ),
        "keda": closed(
            {
                "enabled": FLAG,
                "prometheusAddress": {"type": "string", "pattern": "^$|^https?://"},
            }
        ),
        "monitoring": closed(
            {
                "serviceMonitor": FLAG,
                "prometheusRule": FLAG,
                "dashboards": FLAG,
                "interval": {"type": "string", "pattern": "^[0-9]+s$"},
                "labels": FREE,
                "runbookBase": {"type": "string", "pattern": "^$|^https://"},
            }
        ),
        "networkPolicy": closed(
            {
                "enabled": FLAG,
                "ingressNamespace": NAME,
                "monitoringNamespace": NAME,
                "egress": {
                    "type": "array",
                    "items": closed(
                        {
                            "name": NAME,
                            "ports": {
                                "type": "array",
                                "minItems": 1,
                                "items": between(1, 65_535),
                            },
                            "to": {"type": "array", "items": {"type": "object"}},
                        },
                        "name",
                        "ports",
                        "to",
                    ),
                },
            }
        ),
        "serviceAccount": closed({"annotations": FREE}),
        "smoke": closed(
            {"enabled": FLAG, "secretName": NAME, "secretKey": TEXT, "model": NAME}
        ),
    }


def schema() -> Schema:
    """The whole schema, draft 7."""
    properties = {**release(), **workloads(), **surroundings()}
    found = closed(properties, "host", "image", "secrets", "web", "workers")
    return {"$schema": "http://json-schema.org/draft-07/schema#", **found}


def rendered() -> str:
    return json.dumps(schema(), indent=2) + "\n"


if __name__ == "__main__":
    (CHART / "values.schema.json").write_text(rendered())
