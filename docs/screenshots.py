"""`make screenshots`: the pictures of README and guides, from the demo as it is now.

Starts the platform in a folder of its own that is thrown away, signs in as the demo's
four people in Chromium and overwrites docs/images. Nothing is retouched.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
PASSWORD = "walking-by-the-canal-42"  # noqa: S105 - of people who live for minutes
START_TIMEOUT_S = 600.0
READY = "Running. Ctrl-C stops everything."
PERSON = re.compile(r"^  (compliance|reviewer|clinician|operator)\s+(\S+)$", re.M)
ADMIN = "/admin/"


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: who looks at which page, and how."""

    name: str
    who: str
    path: str
    opens_first: bool = False
    scheme: str = "light"
    width: int = 1280
    follows: str = ""


SHOTS = (
    Shot("landing-clinician", "clinician", ADMIN),
    Shot("landing-dark", "clinician", ADMIN, scheme="dark"),
    Shot("landing-reviewer", "reviewer", ADMIN),
    Shot(
        "audit-log", "compliance", f"{ADMIN}audit/auditentry/",
        follows="Verify the chain",
    ),
    Shot("landing-compliance", "compliance", ADMIN),
    Shot("landing-phone", "clinician", ADMIN, width=390),
    Shot("crisis-desk", "clinician", f"{ADMIN}safety/escalation/"),
    Shot("crisis-case", "clinician", f"{ADMIN}safety/escalation/", opens_first=True),
    Shot(
        "break-glass", "clinician", f"{ADMIN}safety/escalation/", opens_first=True,
        follows="Read what was said",
    ),
    Shot(
        "sign-page", "clinician", f"{ADMIN}approvals/approvalrequest/",
        opens_first=True, follows="Sign",
    ),
    Shot("policies", "compliance", f"{ADMIN}safety/safetypolicy/"),
    Shot(
        "fail-modes", "compliance", f"{ADMIN}safety/safetypolicy/",
        follows="Fail modes",
    ),
    Shot("people", "compliance", f"{ADMIN}accounts/user/"),
    Shot(
        "in-production-then", "compliance", f"{ADMIN}models_registry/modelalias/",
        follows="At a moment",
    ),
    Shot("request", "clinician", f"{ADMIN}inference/inferencerecord/", True),
    Shot("model-version", "reviewer", f"{ADMIN}models_registry/modelversion/", True),
    Shot("dataset-version", "operator", f"{ADMIN}datasets/datasetversion/", True),
    Shot("training-run", "operator", f"{ADMIN}models_registry/trainingrun/", True),
    Shot("issue-key", "operator", f"{ADMIN}accounts/apikey/add/"),
    Shot("second-factor", "operator", f"{ADMIN}second-factor/enrol/"),
    Shot("api-docs", "operator", "/docs/api/"),
)  # fmt: skip


@contextmanager
def platform(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """A fresh demo; its address and everybody's one-time password."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    log = folder / "out.log"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PE_")
    } | {
        "PE_ENV_FILE": str(folder / "env"),
        "PE_STATE_DIR": str(folder / "state"),
        "PE_BIND": address,
    }
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "pe_platform.launch"],
            cwd=ROOT, env=environment, stdout=stream, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        yield f"http://{address}", dict(PERSON.findall(_wait_for(log, process)))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=120)


def _wait_for(log: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        said = log.read_text("utf-8", "replace")
        if READY in said:
            return said
        if process.poll() is not None:
            break
        time.sleep(1)
    sys.exit(f"The demo did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")


def sign_in(page: Page, base: str, who: str, one_time: str) -> None:
    page.goto(base + ADMIN)
    page.fill("#id_username", who)
    page.fill("#id_password", one_time)
    page.press("#id_password", "Enter")
    page.wait_for_url("**/password_change/")
    page.fill("#id_old_password", one_time)
    page.fill("#id_new_password1", PASSWORD)
    page.fill("#id_new_password2", PASSWORD)
    page.press("#id_new_password2", "Enter")
    page.wait_for_url(f"**{ADMIN}")


def submit_a_policy(page: Page, base: str) -> None:
    """So that something waits for a signature."""
    page.goto(f"{base}{ADMIN}safety/safetypolicy/")
    page.locator("#result_list tbody a").first.click()
    page.get_by_role("button", name="Draft this version again", exact=True).click()
    page.wait_for_load_state()
    page.goto(f"{base}{ADMIN}safety/safetypolicy/")
    page.locator("#result_list tbody a").first.click()
    page.fill("form[action*=submit] input[name=reason]", "Numbers verified again")
    page.get_by_role("button", name="Submit for approval", exact=True).click()
    page.wait_for_load_state()


def take(page: Page, base: str, shot: Shot) -> None:
    page.emulate_media(color_scheme="dark" if shot.scheme == "dark" else "light")
    page.set_viewport_size({"width": shot.width, "height": 844})
    page.goto(base + shot.path)
    if shot.opens_first:
        page.locator("#result_list tbody a").first.click()
        page.wait_for_load_state()
    if shot.follows:
        page.get_by_role("link", name=shot.follows, exact=True).first.click()
        page.wait_for_load_state()
    page.wait_for_timeout(400)
    page.screenshot(path=IMAGES / f"{shot.name}.png")
    print(f"docs/images/{shot.name}.png")  # noqa: T201


def take_all(browser: Browser, base: str, passwords: dict[str, str]) -> None:
    pages = {}
    for who, one_time in passwords.items():
        pages[who] = browser.new_page()
        sign_in(pages[who], base, who, one_time)
    submit_a_policy(pages["operator"], base)
    for shot in SHOTS:
        take(pages[shot.who], base, shot)


def main() -> None:
    chromium = os.environ.get("PE_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        sys.exit("No Chromium here: name one in PE_CHROMIUM.")
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as name,
        platform(Path(name)) as (base, people),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        take_all(browser, base, people)
        browser.close()


if __name__ == "__main__":
    main()
