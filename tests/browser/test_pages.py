"""Every main page in Chromium: accessible, contained, inert, alive where it says so."""

from __future__ import annotations

import json
import uuid
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from apps.accounts.models import Authenticator, User
from apps.accounts.permissions import actor_for_user, system_actor
from apps.accounts.roles import Role
from apps.accounts.services import create_staff
from apps.datasets.services import DatasetDescription, create_dataset
from apps.models_registry.services import register_model
from apps.safety import services as safety
from apps.safety.contracts import RiskLevel
from apps.safety.models import Escalation
from apps.safety.policy import default_document, default_policy
from tests.models_registry import stages

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# What a person may store, and what would run if a page let it.
HOSTILE = "<img src=x onerror=\"document.title='owned'\">{{constructor}}';alert(1)//"


def open_case(level: RiskLevel = RiskLevel.HIGH) -> Escalation:
    return safety.open_escalation(
        actor=system_actor("inference"),
        correlation_id=uuid.uuid4(),
        level=level,
        locale="en-GB",
        reasons=["crisis.plan"],
        digest=safety.text_digest("words that are not kept"),
        policy=default_policy(),
    )


def some_rows() -> None:
    """At least one row on most screens, with text that tries to break out."""
    create_staff(actor=system_actor("bootstrap"), username="otto", roles=["operator"])
    author = actor_for_user(User.objects.get(username="otto"))
    row = safety.draft_policy(actor=author, name="default", document=default_document())
    safety.submit_policy(actor=author, policy_id=str(row.pk), reason=HOSTILE)
    schema = json.loads((stages.DEMO / "support_messages.schema.json").read_text())
    create_dataset(
        actor=author,
        description=DatasetDescription("d", HOSTILE, HOSTILE, "CC0-1.0", schema),
    )
    register_model(actor=author, name="m", task="support_reply", description=HOSTILE)
    open_case()


def pages_of(desk) -> list[str]:
    """The sidebar's pages, and the first row of each list."""
    links = desk.page.eval_on_selector_all(
        "a[href^='/admin/']", "all => [...new Set(all.map(a => a.pathname))]"
    )
    found = [path for path in links if "logout" not in path]
    for path in list(found):
        desk.open(path)
        first = desk.page.query_selector("#result_list tbody a")
        if first is not None:
            found.append(str(first.get_attribute("href")))
    return found


def violations(desk) -> list[tuple[str, str]]:
    ran = Axe().run(desk.page, options={"runOnly": WCAG})
    return [
        (found["id"], found["nodes"][0]["html"][:200])
        for found in ran.response["violations"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "roles",
    [(Role.COMPLIANCE,), (Role.CLINICIAN, Role.RESPONDER), (Role.OPERATOR,)],
)
def test_pages_are_accessible_contained_and_inert(sits_down, scheme, roles) -> None:
    some_rows()
    desk = sits_down("someone", *roles)
    desk.page.emulate_media(color_scheme=scheme)
    asked: list[str] = []
    desk.page.on("request", lambda request: asked.append(request.url))

    found = {}
    for path in pages_of(desk):
        assert desk.open(path) == 200, path
        found[path] = violations(desk)
        assert "owned" not in desk.page.title(), path

    assert {path: bad for path, bad in found.items() if bad} == {}
    hosts = {urlsplit(url).netloc for url in asked if not url.startswith("data:")}
    assert hosts == {urlsplit(desk.base).netloc}
    assert desk.complaints == []
    assert len(found) > 10


def test_no_page_lets_a_stored_or_inline_script_run(sits_down) -> None:
    desk = sits_down("cora", Role.COMPLIANCE)

    refused = desk.page.evaluate(
        """() => new Promise(done => {
            document.addEventListener("securitypolicyviolation",
                event => done(event.violatedDirective), {once: true});
            const script = document.createElement("script");
            script.textContent = "document.title = 'owned'";
            document.body.append(script);
            window.setTimeout(() => done("ran"), 2000);
        })"""
    )

    assert refused.startswith("script-src")
    assert "owned" not in desk.page.title()


def test_pages_fit_a_phone(sits_down) -> None:
    some_rows()
    desk = sits_down("someone", Role.COMPLIANCE, Role.CLINICIAN, Role.OPERATOR)
    paths = pages_of(desk)
    desk.page.set_viewport_size({"width": 390, "height": 844})

    for path in paths:
        desk.open(path)
        width = desk.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, path


def test_a_new_case_appears_by_itself_and_is_announced(sits_down) -> None:
    desk = sits_down("cleo", Role.CLINICIAN)
    desk.open("/admin/safety/escalation/")
    assert not desk.page.query_selector("#result_list tbody a")

    case = open_case(RiskLevel.IMMINENT)
    desk.page.wait_for_selector("#result_list tbody a", timeout=15_000)

    link = desk.page.query_selector("#result_list tbody a").get_attribute("href")
    assert str(case.pk) in link
    assert desk.page.inner_text("[data-poll]") == "A new case is open."
    assert desk.page.title().startswith("(1) ")
    assert "min" in desk.page.inner_text("[data-countdown]")
    assert desk.complaints == []


def test_the_desk_works_from_the_keyboard(sits_down) -> None:
    desk = sits_down("cleo", Role.CLINICIAN)
    cases = [open_case(), open_case()]
    desk.open("/admin/safety/escalation/")
    desk.page.locator("#result_list tbody a").first.focus()
    first = desk.page.evaluate("document.activeElement.getAttribute('href')")

    desk.page.keyboard.press("ArrowDown")
    second = desk.page.evaluate("document.activeElement.getAttribute('href')")
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_url(f"**{second}")
    desk.page.get_by_role("button", name="Acknowledge", exact=True).focus()
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_selector("text=Acknowledged: this case is yours.")

    assert first != second
    states = {str(case.pk): Escalation.objects.get(pk=case.pk).state for case in cases}
    assert states[second.split("/")[-3]] == Escalation.State.ACKNOWLEDGED


def test_a_person_enrols_and_signs_in_with_a_code(sits_down, settings) -> None:
    settings.PE_STAFF_MFA = "required"
    desk = sits_down("rita", Role.REVIEWER, enrols=True)

    assert desk.says("Nothing waits for a signature.")
    assert Authenticator.objects.get().confirmed_at is not None
    assert desk.complaints == []
