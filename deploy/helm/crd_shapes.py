"""The parts of other projects' resources that the chart may use, as JSON schemas.

Written from the operators' published API references, much narrower than their CRDs: a
field that is not here is refused, so that a typo cannot pass for an extension. What an
operator makes of a sound object only a cluster shows.
"""

from __future__ import annotations

Shape = dict[str, object]

TEXT: Shape = {"type": "string", "minLength": 1}
COUNT: Shape = {"type": "integer", "minimum": 0}
SECONDS: Shape = {"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"}
LABELS: Shape = {"type": "object", "additionalProperties": {"type": "string"}}


def only(properties: dict[str, Shape], *required: str) -> Shape:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": list(required),
    }


def listed(items: Shape) -> Shape:
    return {"type": "array", "minItems": 1, "items": items}


SELECTOR = only(
    {
        "matchLabels": LABELS,
        "matchExpressions": listed(
            only(
                {
                    "key": TEXT,
                    "operator": {"enum": ["In", "NotIn", "Exists", "DoesNotExist"]},
                    "values": listed(TEXT),
                },
                "key",
                "operator",
            )
        ),
    }
)
ENDPOINTS = listed(
    only(
        {
            "port": TEXT,
            "path": {"type": "string", "pattern": "^/"},
            "interval": SECONDS,
            "authorization": only(
                {"credentials": only({"name": TEXT, "key": TEXT}, "name", "key")},
                "credentials",
            ),
            "relabelings": listed(
                only({"targetLabel": TEXT, "replacement": TEXT}, "targetLabel")
            ),
        },
        "port",
    )
)
RULE: Shape = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "alert": TEXT,
        "record": TEXT,
        "expr": TEXT,
        "for": SECONDS,
        "labels": LABELS,
        "annotations": LABELS,
    },
    "required": ["expr"],
    "oneOf": [{"required": ["alert"]}, {"required": ["record"]}],
}
SPECS: dict[tuple[str, str], Shape] = {
    ("keda.sh/v1alpha1", "ScaledObject"): only(
        {
            "scaleTargetRef": only({"name": TEXT, "kind": TEXT}, "name"),
            "minReplicaCount": COUNT,
            "maxReplicaCount": {"type": "integer", "minimum": 1},
            "pollingInterval": COUNT,
            "cooldownPeriod": COUNT,
            "fallback": only(
                {"failureThreshold": COUNT, "replicas": COUNT},
                "failureThreshold",
                "replicas",
            ),
            "triggers": listed(
                only(
                    {
                        "type": {"const": "prometheus"},
                        # Every value of a trigger is a string, numbers too.
                        "metadata": only(
                            {
                                "serverAddress": TEXT,
                                "query": TEXT,
                                "threshold": TEXT,
                                "activationThreshold": TEXT,
                            },
                            "serverAddress",
                            "query",
                            "threshold",
                        ),
                    },
                    "type",
                    "metadata",
                )
            ),
        },
        "scaleTargetRef",
        "triggers",
    ),
    ("monitoring.coreos.com/v1", "ServiceMonitor"): only(
        {"selector": SELECTOR, "endpoints": ENDPOINTS}, "selector", "endpoints"
    ),
    ("monitoring.coreos.com/v1", "PodMonitor"): only(
        {"selector": SELECTOR, "podMetricsEndpoints": ENDPOINTS},
        "selector",
        "podMetricsEndpoints",
    ),
    ("monitoring.coreos.com/v1", "PrometheusRule"): only(
        {
            "groups": listed(
                only(
                    {"name": TEXT, "interval": SECONDS, "rules": listed(RULE)},
                    "name",
                    "rules",
                )
            )
        },
        "groups",
    ),
    ("external-secrets.io/v1", "ExternalSecret"): only(
        {
            "refreshInterval": SECONDS,
            "secretStoreRef": only(
                {"kind": {"enum": ["ClusterSecretStore", "SecretStore"]}, "name": TEXT},
                "kind",
                "name",
            ),
            "target": only(
                {
                    "name": TEXT,
                    "creationPolicy": {"enum": ["Owner", "Orphan", "Merge", "None"]},
                    "deletionPolicy": {"enum": ["Delete", "Merge", "Retain"]},
                },
                "name",
            ),
            "dataFrom": listed(only({"extract": only({"key": TEXT}, "key")})),
        },
        "secretStoreRef",
        "target",
        "dataFrom",
    ),
}
