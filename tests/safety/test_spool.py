"""Cases on disk: durable, sealed, opened once, and never lost to damage."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from apps.core.errors import IntegrityFailure
from apps.safety import services
from apps.safety.cases import CaseFacts
from apps.safety.contracts import RiskLevel
from apps.safety.models import Escalation, EscalationText
from apps.safety.spool import keep_case, spooled_cases, spooled_count


@pytest.fixture(autouse=True)
def _own_spool(settings: Any, tmp_path: Path) -> None:
    settings.PE_ESCALATION_SPOOL = tmp_path / "escalations"


def facts(**more: Any) -> CaseFacts:
    given = {
        "correlation_id": uuid.uuid4(),
        "level": RiskLevel.IMMINENT,
        "locale": "en-GB",
        "reasons": ("crisis.plan",),
        "digest": "hmac-sha256:0",
        "policy_digest": "sha256:0",
        "minutes": 5,
        "happened_at": timezone.now() - timedelta(minutes=20),
        "text": "",
    }
    return CaseFacts(**(given | more))


@pytest.mark.parametrize("text", ["", "plain", "\ud800 \x00 é 🙂", "x" * 100_000])
def test_facts_come_back_as_they_were(text: str) -> None:
    case = facts(text=text)

    keep_case(case)

    assert [spooled.facts for spooled in spooled_cases()] == [case]


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"minutes": "x"}'])
def test_other_content_is_refused(content: bytes) -> None:
    with pytest.raises(IntegrityFailure):
        CaseFacts.from_bytes(content)


def test_opening_again_and_again_is_one_case(db: None) -> None:
    case = facts()
    for _ in range(3):
        keep_case(case)
        services.open_spooled_cases()

    assert Escalation.objects.count() == 1
    assert spooled_count() == 0


def test_a_case_that_waited_is_overdue_already(db: None) -> None:
    keep_case(facts())

    services.open_spooled_cases()

    row = Escalation.objects.get()
    assert row.due_at - row.opened_at == timedelta(minutes=5)
    assert row.due_at < timezone.now()


def test_a_clock_that_runs_ahead_opens_nothing_in_the_future(db: None) -> None:
    keep_case(facts(happened_at=timezone.now() + timedelta(days=1)))

    services.open_spooled_cases()

    assert Escalation.objects.get().opened_at <= timezone.now()


@pytest.mark.parametrize("damage", [b"", b"short", b"\0" * 400])
def test_a_damaged_file_is_a_case_all_the_same(db: None, damage: bytes) -> None:
    case = facts()
    path = keep_case(case)
    path.write_bytes(damage)

    services.open_spooled_cases()

    row = Escalation.objects.get()
    assert row.correlation_id == case.correlation_id
    assert (row.level, row.reasons) == ("high", ["spool.unreadable"])
    assert path.with_suffix(".damaged").exists()
    assert spooled_count() == 0


def test_a_sealed_case_cannot_be_passed_off_as_another(db: None) -> None:
    path = keep_case(facts())
    other = path.with_name(f"{uuid.uuid4()}.case")
    path.rename(other)

    [spooled] = spooled_cases()

    assert spooled.facts is None


def test_half_written_and_foreign_files_are_left_alone(db: None) -> None:
    folder = keep_case(facts()).parent
    for name in ("x.case", f"{uuid.uuid4()}.abc.partial", "notes.txt"):
        (folder / name).write_bytes(b"")

    assert services.open_spooled_cases() == 1
    assert len(list(folder.iterdir())) == 3


def test_no_text_is_kept_where_the_setting_says_so(db: None, settings: Any) -> None:
    settings.PE_ESCALATION_TEXT_DAYS = 0
    keep_case(facts(text="what was said"))

    services.open_spooled_cases()

    assert Escalation.objects.count() == 1
    assert EscalationText.objects.count() == 0
