"""Rules, dashboards and runbooks agree with each other and with what is exposed."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

from apps.inference import metrics as _inference  # noqa: F401 - declares its metrics
from pe_platform import task_metrics as _tasks  # noqa: F401
from pe_platform import telemetry as _telemetry  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
sys.path.insert(0, str(MONITORING))

import cases  # noqa: E402
import dashboards  # noqa: E402
import generate  # noqa: E402

NAME = re.compile(r"\bpe[_:][a-zA-Z0-9_:]+")
SELECTOR = re.compile(r"\b(pe[_:][a-zA-Z0-9_:]+)\{([^}]*)\}")
LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
# What Prometheus adds, and what a histogram adds.
ADDED = {"job", "instance", "le"}
SUFFIXES = ("_total", "_bucket", "_count", "_sum", "_created")


def rules() -> list[dict]:
    found = []
    for path in sorted((MONITORING / "rules").glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            found.extend(group["rules"])
    return found


def alerts() -> list[dict]:
    return [rule for rule in rules() if "alert" in rule]


def recorded() -> set[str]:
    return {rule["record"] for rule in rules() if "record" in rule}


def expressions() -> list[str]:
    return [rule["expr"] for rule in rules()] + dashboards.expressions()


def exposed_labels(name: str) -> set[str] | None:
    """Labels of a metric that this process exposes; None when there is none."""
    bare = name
    if name not in REGISTRY._names_to_collectors:
        return None
    collector = REGISTRY._names_to_collectors[bare]
    return set(getattr(collector, "_labelnames", ()))


def test_every_expression_names_metrics_that_exist():
    unknown = {
        name
        for expression in expressions()
        for name in NAME.findall(expression)
        if name not in recorded() and exposed_labels(name) is None
    }

    assert len(expressions()) > 80
    assert unknown == set()


def test_every_selector_names_labels_that_exist():
    wrong = [
        (name, label)
        for expression in expressions()
        for name, matchers in SELECTOR.findall(expression)
        if name not in recorded()
        for label in LABEL.findall(re.sub(r'"[^"]*"', '""', matchers))
        if label not in (exposed_labels(name) or set()) | ADDED
    ]

    assert wrong == []


def test_every_exposed_metric_is_looked_at():
    used = {name for expression in expressions() for name in NAME.findall(expression)}
    families = {
        metric.name for metric in REGISTRY.collect() if metric.name.startswith("pe_")
    }
    seen = {name.removesuffix(suffix) for name in used for suffix in ("", *SUFFIXES)}

    assert families - seen == {"pe_audit_chains"}


def test_every_alert_has_a_case_and_no_case_is_left_over():
    assert {case.alert for case in cases.CASES} == {rule["alert"] for rule in alerts()}


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_links_a_runbook_that_says_what_to_do(rule):
    link = rule["annotations"]["runbook_url"]
    page = ROOT / link.lstrip("/")

    assert link == f"/docs/ops/alerts/{rule['alert']}.md"
    text = page.read_text()
    assert "**At stake**" in text
    assert "**Do**" in text
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["labels"]["team"] in {"crisis", "platform"}


def test_no_runbook_is_of_an_alert_that_is_gone():
    pages = {path.stem for path in (ROOT / "docs" / "ops" / "alerts").glob("*.md")}

    assert pages == {rule["alert"] for rule in alerts()}


def test_links_between_runbooks_lead_somewhere():
    broken = [
        (path.name, target)
        for path in (ROOT / "docs" / "ops" / "alerts").glob("*.md")
        for target in re.findall(r"\]\(([^)#]+)", path.read_text())
        if not (path.parent / target).exists()
    ]

    assert broken == []


def test_generated_files_are_what_their_code_says():
    stale = [
        path for path, text in generate.files().items() if path.read_text() != text
    ]

    assert stale == [], "run make monitoring"


def test_inhibition_names_alerts_that_exist_and_never_silences_a_crisis():
    config = yaml.safe_load((MONITORING / "alertmanager.yml").read_text())
    crisis = {rule["alert"] for rule in alerts() if rule["labels"]["team"] == "crisis"}
    by_name = {rule["alert"] for rule in alerts()}

    for rule in config["inhibit_rules"]:
        named = set(re.findall(r"PE\w+", str(rule)))
        targets = set(re.findall(r"PE\w+", str(rule["target_matchers"])))
        assert named <= by_name
        assert not targets & crisis
