"""Referral reports: right counts, and nobody to be found in them."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.roles import Role
from apps.audit.models import AuditEntry
from apps.core.actors import Actor
from apps.core.errors import InvalidInput, NotPermitted
from apps.safety import services
from apps.safety.models import Escalation
from apps.safety.referrals import (
    SMALLEST_CELL,
    HandledCase,
    referral_report,
    withheld,
)
from apps.safety.reporting import as_csv, as_json

DAY = date(2026, 11, 1)


def cases(count: int, **more: Any) -> list[HandledCase]:
    given = {
        "level": "high", "locale": "en-GB", "disposition": "supported",
        "response_s": 60.0,
    }  # fmt: skip
    return [HandledCase(**(given | more)) for _ in range(count)]


def report_of(*groups: list[HandledCase]) -> Any:
    found = [case for group in groups for case in group]
    return referral_report(found, first=DAY, last=DAY)


def test_counts_and_times() -> None:
    waits = [HandledCase("high", "en-GB", "referred", float(s)) for s in range(1, 11)]

    report = report_of(waits, cases(6, level="low", disposition="", response_s=None))

    assert report.total == 16
    assert report.by_level == {"high": 10, "low": 6}
    assert report.by_disposition == {"referred": 10, "unresolved": 6}
    assert report.response["high"].median_s == 5.5
    assert report.response["high"].p90_s == 9.0
    assert report.response["low"].median_s is None


def test_a_small_cell_is_withheld_with_a_neighbour() -> None:
    report = report_of(
        cases(20), cases(2, disposition="emergency"), cases(9, disposition="referred")
    )

    [row] = report.level_by_disposition.values()
    assert row == {"emergency": None, "referred": None, "supported": 20}


def test_a_lone_small_row_does_not_show_by_its_zeros() -> None:
    report = report_of(
        cases(1, level="imminent", disposition="emergency"),
        cases(20),
        cases(20, disposition="referred"),
    )

    assert list(report.level_by_disposition["imminent"].values()).count(None) >= 2


def test_no_total_gives_a_withheld_cell_away() -> None:
    chance = random.Random(7)
    for _ in range(300):
        table = {
            row: {name: chance.choice([0, 0, 1, 2, 4, 5, 7, 30]) for name in "abcd"}
            for row in "xyz"
        }

        shown = withheld(table)

        lines = [[(r, c) for c in "abcd"] for r in "xyz"]
        lines += [[(r, c) for r in "xyz"] for c in "abcd"]
        for line in lines:
            hidden = [(r, c) for r, c in line if shown[r][c] is None]
            assert len(hidden) != 1, (table, shown)
        visible = [n for cells in shown.values() for n in cells.values() if n]
        assert all(count >= SMALLEST_CELL for count in visible)


@pytest.mark.parametrize("locale", ["=cmd|' /C calc'!A0", "john.smith", "en-GB-x-ann"])
def test_a_locale_that_is_none_is_not_repeated(locale: str) -> None:
    report = report_of(cases(6, locale=locale))

    assert report.by_locale == {"other": 6}
    assert locale not in as_csv(report) + as_json(report)


def test_both_forms_hold_the_same_and_no_identifier(
    opened: Callable[..., Escalation], compliance: Actor
) -> None:
    rows = [opened() for _ in range(6)]
    today = datetime.now(UTC).date()

    report = services.export_referrals(actor=compliance, first=today, last=today)

    table = list(csv.DictReader(io.StringIO(as_csv(report))))
    total = next(line["value"] for line in table if line["measure"] == "cases")
    assert int(total) == json.loads(as_json(report))["total"] == 6
    for row in rows:
        for secret in (str(row.pk), str(row.correlation_id), row.text_digest):
            assert secret not in as_csv(report) + as_json(report)
    assert AuditEntry.objects.filter(event="safety.referrals_exported").count() == 1


def test_the_period_has_both_its_days(
    opened: Callable[..., Escalation], compliance: Actor
) -> None:
    for hours in (-1, 0, 23, 24):
        opened_at = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=hours)
        Escalation.objects.filter(pk=opened().pk).update(
            opened_at=opened_at, due_at=opened_at
        )

    report = services.export_referrals(actor=compliance, first=DAY, last=DAY)

    assert report.total == 2


def test_who_may_export(responder: Actor, compliance: Actor) -> None:
    with pytest.raises(NotPermitted):
        services.export_referrals(actor=responder, first=DAY, last=DAY)
    with pytest.raises(InvalidInput):
        services.export_referrals(
            actor=compliance, first=DAY, last=DAY - timedelta(days=1)
        )


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["csv", "json"])
def test_the_command_prints_a_report(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command(
        "referral_report", "--from", "2026-11-01", "--to", "2026-11-30",
        "--format", form,
    )  # fmt: skip

    assert "2026-11-30" in capsys.readouterr().out


@pytest.mark.django_db
@pytest.mark.parametrize("days", [("2026-11-02", "2026-11-01"), ("soon", "2026-11-01")])
def test_the_command_refuses_a_period_that_is_none(days: tuple[str, str]) -> None:
    with pytest.raises(CommandError):
        call_command("referral_report", "--from", days[0], "--to", days[1])


@pytest.mark.parametrize(
    ("role", "may"), [(Role.COMPLIANCE, True), (Role.RESPONDER, False)]
)
def test_the_admin_downloads_it(
    person: Callable[..., User], role: Role, may: bool
) -> None:
    client = Client()
    client.force_login(
        person("staff", role), backend="django.contrib.auth.backends.ModelBackend"
    )
    asked = {"first": "2026-11-01", "last": "2026-11-30", "format": "csv"}

    response = client.post(
        reverse("admin:safety_escalation_referrals"), asked, secure=True
    )

    assert ("attachment" in response.get("Content-Disposition", "")) is may
    exported = AuditEntry.objects.filter(event="safety.referrals_exported")
    assert exported.exists() is may
