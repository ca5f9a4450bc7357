"""`make monitoring-test`: rules, alerts and routes, then a broken gate to a page.

Needs Debian's prometheus and prometheus-alertmanager. Prints what was proved; exit 1
at the first thing that does not hold.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT)]

from cases import CASES, unit_tests  # noqa: E402
from dashboards import expressions  # noqa: E402
from generate import files  # noqa: E402

TOOLS = ("promtool", "amtool", "prometheus", "prometheus-alertmanager")
# Labels of an alert, and who must hear of it.
ROUTED = (
    (("severity=page", "team=crisis", "alertname=PEEscalationOverdue"), "page"),
    (("severity=page", "team=platform", "alertname=PEGateFailing"), "page"),
    (("severity=ticket", "team=platform", "alertname=PEWorkerDown"), "ticket"),
    (("severity=ticket", "team=crisis", "alertname=PEContactsStale"), "ticket"),
)


class NotProved(Exception):
    """Monitoring does not do what it promises."""


def run(*command: str) -> str:
    """What a tool printed; NotProved when it failed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotProved(
            f"{command[0]} {command[1]}: {done.stdout}{done.stderr}"[-3000:]
        )
    return done.stdout


def proved(claim: str) -> None:
    print(f"  proved: {claim}", flush=True)


def alertmanager_config(page: str, ticket: str) -> str:
    """Ours with addresses in place of files, which Debian's 0.25 does not know yet."""
    text = (HERE / "alertmanager.yml").read_text()
    for name, address in (("page", page), ("ticket", ticket)):
        text = text.replace(f"url_file: /run/secrets/{name}_url", f'url: "{address}"')
    return text


def check_generated() -> None:
    stale = [path.name for path, text in files().items() if path.read_text() != text]
    if stale:
        raise NotProved(f"not generated anew (make monitoring): {', '.join(stale)}")
    proved("rules and dashboards are what their code says")


def check_rules(folder: Path) -> None:
    rules = sorted(str(path) for path in (HERE / "rules").glob("*.yml"))
    run("promtool", "check", "rules", *rules)
    run("promtool", "check", "config", "--syntax-only", str(HERE / "prometheus.yml"))
    proved("promtool finds no fault in rules and configuration")
    panels = {
        "groups": [
            {
                "name": "panels",
                "rules": [
                    {"record": f"panel:{number}", "expr": expression}
                    for number, expression in enumerate(expressions())
                ],
            }
        ]
    }
    path = folder / "panels.yml"
    path.write_text(yaml.safe_dump(panels))
    run("promtool", "check", "rules", str(path))
    proved(f"the {len(expressions())} expressions of the dashboards are PromQL")
    tests = folder / "tests.yml"
    tests.write_text(yaml.safe_dump(unit_tests(rules), sort_keys=False))
    run("promtool", "test", "rules", str(tests))
    names = {case.alert for case in CASES}
    proved(f"each of {len(names)} alerts fires, and stays quiet just short of it")


def check_routes(folder: Path) -> None:
    path = folder / "alertmanager.yml"
    path.write_text(alertmanager_config("http://127.0.0.1:9/p", "http://127.0.0.1:9/t"))
    run("amtool", "check-config", str(path))
    for labels, receiver in ROUTED:
        found = run(
            "amtool", "config", "routes", "test", f"--config.file={path}", *labels
        )
        if found.strip() != receiver:
            raise NotProved(f"{labels} goes to {found.strip()}, not to {receiver}")
    proved(f"amtool routes {len(ROUTED)} kinds of alert as meant")


def hurried(text: str) -> str:
    """Rules and routes with the waits of a test; thresholds and labels stay."""
    text = re.sub(r"(\bfor: )\w+", r"\g<1>2s", text)
    text = re.sub(r"(interval: )15s", r"\g<1>1s", text)
    return re.sub(r"(group_wait: )\w+", r"\g<1>1s", text)


def main() -> int:
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        print(
            f"Missing: {', '.join(missing)}. On Debian: apt-get install "
            "--no-install-recommends prometheus prometheus-alertmanager",
            file=sys.stderr,
        )
        return 2
    print("== monitoring", flush=True)
    try:
        with tempfile.TemporaryDirectory(prefix="pe-monitoring-") as name:
            check_generated()
            check_rules(Path(name))
            check_routes(Path(name))
            # Last, and only now: it loads Django and the gates.
            from live import page_from_broken_gate

            for claim in page_from_broken_gate(
                Path(name), alertmanager_config, hurried
            ):
                proved(claim)
    except NotProved as error:
        print(f"  NOT PROVED: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
