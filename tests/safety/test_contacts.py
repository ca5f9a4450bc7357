"""Helplines: never a number of another country, and never unverified in silence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.roles import Role
from apps.safety import checks
from apps.safety.errors import PolicyInvalid
from apps.safety.metrics import STALE, refresh_gauges
from apps.safety.policy import default_document, default_policy, parse_policy
from apps.safety.selectors import stale_contacts_in_force

DIRECTORY = {"findahelpline.com"}
ELSEWHERE = (
    "en", "en-AU", "en-CA", "en-IE", "en-IN", "en-NG", "en-NZ", "en-ZA", "en-001",
    "fr", "fr-CA", "de-DE", "pt-BR", "zh-Hant-TW", "ja-JP", "ar-EG", "hi-IN", "sw-KE",
    "uk-UA", "es-CO", "es-419", "ES_ar", "en-Latn-US", "us", "US", "en-USA",
    "", "-", "-US", "_", "xx-YY", "und", "C", "POSIX", "en-US.UTF-8", "en-US-x-private",
    "international", "тест", "988", "../en-US", "en-U S",
)  # fmt: skip


@pytest.mark.parametrize("locale", ELSEWHERE)
def test_an_unknown_country_gets_the_directory_and_no_number(locale: str) -> None:
    policy = default_policy()

    reach = {contact.reach for contact in policy.contacts(locale)}
    words = policy.texts(locale).crisis + policy.texts(locale).unavailable
    assert reach == DIRECTORY
    assert "findahelpline.com" in words
    assert not any(number in words for number in ("988", "911", "999", "741741"))


@pytest.mark.parametrize(
    ("locale", "number"),
    [
        ("en-US", "988"),
        ("en_us", "988"),
        ("EN-gb", "116 123"),
        ("es-US", "988"),
        ("es-ES", "024"),
        ("es-MX", "800 911 2000"),
    ],
)
def test_a_known_country_gets_its_own(locale: str, number: str) -> None:
    assert number in default_policy().texts(locale).crisis


@pytest.mark.parametrize("locale", ["es", "international"])
@pytest.mark.parametrize("number", ["Call 988", "Llama al 9-1-1", "1 800 273", "112"])
def test_a_number_where_no_country_is_named_is_refused(
    locale: str, number: str
) -> None:
    document = default_document()
    document["contacts"][locale][0]["reach"] = number

    with pytest.raises(PolicyInvalid, match="names no country"):
        parse_policy(document, name="default")


def today() -> date:
    return datetime.now(UTC).date()


def aged(days: int) -> dict[str, Any]:
    document = default_document()
    verified_on = (today() - timedelta(days=days)).isoformat()
    for contacts in document["contacts"].values():
        for contact in contacts:
            contact["verified_on"] = today().isoformat()
    document["contacts"]["en-GB"][0]["verified_on"] = verified_on
    return document


def test_a_contact_is_stale_the_day_after_its_limit() -> None:
    policy = parse_policy(aged(30), name="default")

    assert policy.stale_contacts(today(), 30) == ()
    [stale] = policy.stale_contacts(today(), 29)
    assert (stale.locale, stale.name, stale.age_days) == ("en-GB", "Samaritans", 30)


def test_stale_contacts_in_force_are_a_gauge_and_a_warning(
    adopt: Callable[..., Any], settings: Any
) -> None:
    settings.PE_CONTACT_STALE_DAYS = 90
    adopt(document=aged(91))

    refresh_gauges()
    found = checks.check_contacts_in_force(databases=["default"])

    assert [one.name for one in stale_contacts_in_force()] == ["Samaritans"]
    assert STALE._value.get() == 1
    assert [warning.id for warning in found] == ["safety.W002"]
    assert "Samaritans (en-GB)" in found[0].msg


def test_fresh_contacts_warn_of_nothing(adopt: Callable[..., Any]) -> None:
    adopt(document=aged(0))

    refresh_gauges()

    assert STALE._value.get() == 0
    assert checks.check_contacts_in_force(databases=["default"]) == []


def test_the_shipped_policy_is_checked_without_a_database(settings: Any) -> None:
    settings.PE_CONTACT_STALE_DAYS = -1

    assert [one.id for one in checks.check_shipped_contacts()] == ["safety.W002"]


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("safety_escalation_changelist", "Helplines to verify again: Samaritans ("),
        ("safety_safetypolicy_changelist", "Helplines to verify again: Samaritans ("),
        ("index", "Samaritans (en-GB)</a>: not verified for 90 days or more"),
    ],
)
def test_the_admin_says_it(
    adopt: Callable[..., Any],
    person: Callable[..., User],
    settings: Any,
    page: str,
    said: str,
) -> None:
    settings.PE_CONTACT_STALE_DAYS = 90
    adopt(document=aged(91))
    client = Client()
    client.force_login(
        person("staff", Role.CLINICIAN),
        backend="django.contrib.auth.backends.ModelBackend",
    )

    shown = client.get(reverse(f"admin:{page}"), secure=True).content.decode()

    assert said in shown


CHANNELS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing set": ({}, []),
    "plain http": ({"PE_ESCALATION_WEBHOOK_URL": "http://a.example"}, ["safety.E006"]),
    "no secret": ({"PE_ESCALATION_WEBHOOK_URL": "https://a.example"}, ["safety.E006"]),
    "signed": (
        {
            "PE_ESCALATION_WEBHOOK_URL": "https://a.example",
            "PE_ESCALATION_WEBHOOK_SECRET": "0123456789abcdef01234567",
        },
        [],
    ),
    "no such channel": ({"PE_NOTIFICATION_CHANNELS": ["no.such"]}, ["safety.E005"]),
}


@pytest.mark.parametrize(("given", "ids"), CHANNELS.values(), ids=CHANNELS.keys())
def test_channels_are_checked_at_start(
    settings: Any, given: dict[str, Any], ids: list[str]
) -> None:
    for name, value in given.items():
        setattr(settings, name, value)

    assert [error.id for error in checks.check_channels()] == ids


def test_a_deployment_that_tells_nobody_is_warned(settings: Any) -> None:
    assert [one.id for one in checks.check_somebody_is_told()] == ["safety.W001"]
    settings.PE_MAIL_IS_CONFIGURED = True
    assert checks.check_somebody_is_told() == []
