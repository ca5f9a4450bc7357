"""A real browser in front of a live server, and people who sign in with it.

Playwright's loop runs in the test's thread, where Django refuses the ORM; here nothing
else uses that loop, so the refusal is switched off for these tests alone.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pyotp
import pytest

from apps.accounts.permissions import system_actor
from apps.accounts.roles import Role
from apps.accounts.services import create_staff, sync_roles
from tests.models_registry.fixtures import media, registered_tasks, sent

__all__ = ["media", "registered_tasks", "sent"]
sync_api = pytest.importorskip("playwright.sync_api")

OWN_PASSWORD = "walking-by-the-canal-42"
SWITCHES = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
)  # fmt: skip
WAIT_MS = 30_000


@dataclass
class Desk:
    """One person's browser window; ``complaints`` is what its console reported."""

    page: sync_api.Page
    base: str
    complaints: list[str] = field(default_factory=list)
    secret: str = ""

    def open(self, path: str) -> int:
        response = self.page.goto(self.base + path)
        assert response is not None
        return response.status

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()
        self.page.wait_for_load_state()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).first.click()
        self.page.wait_for_load_state()

    def says(self, words: str) -> bool:
        return words in self.page.inner_text("body")

    def save_form(self) -> None:
        self.page.locator("#content-main form button[type=submit]").first.click()
        self.page.wait_for_load_state()

    def sign(self, request_path: str) -> None:
        self.open(request_path)
        self.follow("Sign")
        self.page.check("input[name=decision][value=approve]")
        self.page.fill("textarea[name=reason]", "Read from start to end.")
        self.page.fill("input[name=password]", OWN_PASSWORD)
        self.save_form()


@pytest.fixture(scope="session")
def chromium() -> Iterator[sync_api.Browser]:
    path = os.environ.get("PE_CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("No Chromium here: name one in PE_CHROMIUM.")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(SWITCHES))
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def sits_down(
    chromium: sync_api.Browser, live_server, transactional_db: None
) -> Iterator[Callable[..., Desk]]:
    """A new person signs in with a one-time password and chooses their own."""
    bootstrap = system_actor("bootstrap")
    sync_roles(actor=bootstrap)
    desks: list[Desk] = []

    def make(name: str, *roles: Role, enrols: bool = False) -> Desk:
        _, one_time = create_staff(
            actor=bootstrap, username=name, roles=[role.value for role in roles]
        )
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        desk = Desk(context.new_page(), live_server.url)
        desks.append(desk)
        _listen(desk)
        _come_in(desk, name, one_time)
        if enrols:
            _enrol(desk)
        _choose_password(desk, one_time)
        return desk

    yield make
    for desk in desks:
        desk.page.context.close()


def _listen(desk: Desk) -> None:
    desk.page.set_default_timeout(WAIT_MS)
    desk.page.on(
        "console",
        lambda said: (
            desk.complaints.append(said.text) if said.type == "error" else None
        ),
    )
    desk.page.on("pageerror", lambda error: desk.complaints.append(str(error)))


def _come_in(desk: Desk, name: str, one_time: str) -> None:
    desk.open("/admin/")
    desk.page.fill("#id_username", name)
    desk.page.fill("#id_password", one_time)
    desk.page.press("#id_password", "Enter")


def _enrol(desk: Desk) -> None:
    desk.page.wait_for_url("**/second-factor/enrol/**")
    desk.press("Show the code to scan")
    desk.secret = desk.page.inner_text("#secret")
    desk.page.fill("#id_code", pyotp.TOTP(desk.secret).now())
    desk.press("Confirm")
    assert desk.page.locator("#recovery-codes li").count() == 10
    desk.follow("I have kept them")


def _choose_password(desk: Desk, one_time: str) -> None:
    desk.page.wait_for_url("**/password_change/")
    desk.page.fill("#id_old_password", one_time)
    desk.page.fill("#id_new_password1", OWN_PASSWORD)
    desk.page.fill("#id_new_password2", OWN_PASSWORD)
    desk.page.press("#id_new_password2", "Enter")
    desk.page.wait_for_url("**/admin/")
