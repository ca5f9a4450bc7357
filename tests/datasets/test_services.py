"""From a file to a frozen version, and every way that must not lead there."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.accounts.roles import Role
from apps.approvals.errors import NotApproved
from apps.approvals.models import ApprovalRequest
from apps.approvals.services import sign, withdraw_request
from apps.audit.models import AuditEntry
from apps.core.actors import Actor
from apps.core.errors import InvalidInput, NotFound, NotPermitted
from apps.datasets import services
from apps.datasets.contracts import FileFormat
from apps.datasets.errors import (
    StoredContentChanged,
    WrongState,
)
from apps.datasets.models import Dataset, DatasetVersion
from apps.datasets.services import DatasetDescription
from tests.datasets.rows import eight_rows, jsonl, stream, values

State = DatasetVersion.State
Advance = Callable[..., DatasetVersion]


def files_in(media: Path) -> list[Path]:
    return [path for path in media.rglob("*") if path.is_file()]


def events() -> list[str]:
    entries = AuditEntry.objects.filter(event__startswith="datasets.")
    return list(entries.order_by("id").values_list("event", flat=True))


def test_whole_way_from_a_file_to_a_frozen_version(
    frozen: DatasetVersion, media: Path
) -> None:
    assert frozen.state == State.FROZEN
    assert frozen.frozen_by is not None
    assert [path.stem for path in files_in(media)] == [frozen.digest[7:]]
    assert events() == [
        "datasets.dataset_created",
        "datasets.version_ingested",
        "datasets.version_validated",
        "datasets.version_submitted",
        "datasets.version_approved",
        "datasets.version_frozen",
    ]


def test_audit_entry_names_the_content_digest(frozen: DatasetVersion) -> None:
    entry = AuditEntry.objects.get(event="datasets.version_frozen")

    assert entry.subject_digest == frozen.digest
    assert entry.actor_label == "olga"


BAD_ROWS = {
    "formula": ({"text": '=HYPERLINK("x")'}, "hazards.formula"),
    "path": ({"text": "../../etc/passwd"}, "hazards.path"),
    "identifier": ({"text": "write to a.b@example.org"}, "identifiers.email"),
    "repeated id": ({"id": "r1"}, "duplicates.id"),
    "missing field": ({"label": ...}, "schema.missing_field"),
    "leakage": ({"text": values(8)["text"]}, "duplicates.exact_across_splits"),
    "licence": ({"license": "own"}, "licence.not_allowed"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_bad_row_quarantines_the_version_with_findings(
    ingest: Advance, operator: Actor, name: str
) -> None:
    change, code = BAD_ROWS[name]
    rows = eight_rows()
    rows[1] = values(2, **change)
    version = ingest(rows)

    report = services.validate_version(actor=operator, version_id=str(version.pk))

    version.refresh_from_db()
    assert version.state == State.QUARANTINED
    assert not report.passed
    assert code in set(report.findings.values_list("code", flat=True))


def test_stored_finding_holds_locators_and_no_value(
    ingest: Advance, operator: Actor
) -> None:
    version = ingest([*eight_rows(), values(9, text="ring +44 20 7946 0958")])

    report = services.validate_version(actor=operator, version_id=str(version.pk))

    finding = report.findings.get(code="identifiers.phone")
    assert (finding.count, finding.locators) == (1, [9])
    assert "7946" not in str(finding.__dict__)


def test_quarantined_version_cannot_be_submitted(
    ingest: Advance, operator: Actor
) -> None:
    version = ingest([values(1, text="=1+1")])
    services.validate_version(actor=operator, version_id=str(version.pk))

    with pytest.raises(WrongState, match="quarantined"):
        services.submit_version(actor=operator, version_id=str(version.pk))


def test_validation_refuses_bytes_that_changed(
    ingest: Advance, operator: Actor, media: Path
) -> None:
    version = ingest()
    stored = media / version.stored_as
    stored.write_bytes(stored.read_bytes().replace(b"garden", b"harbor"))

    with pytest.raises(StoredContentChanged):
        services.validate_version(actor=operator, version_id=str(version.pk))

    version.refresh_from_db()
    assert version.state == State.INGESTED
    assert not version.reports.exists()


STEPS: dict[str, Callable[..., object]] = {
    "validate": services.validate_version,
    "submit": services.submit_version,
    "freeze": services.freeze_version,
}


@pytest.mark.parametrize(
    ("step", "state"),
    [
        ("submit", State.INGESTED),
        ("freeze", State.INGESTED),
        ("freeze", State.VALIDATED),
        ("freeze", State.SUBMITTED),
        ("validate", State.SUBMITTED),
        ("validate", State.APPROVED),
        ("submit", State.APPROVED),
        ("submit", State.SUBMITTED),
    ],
)
def test_step_out_of_order_is_refused(
    ingest: Advance, operator: Actor, step: str, state: str
) -> None:
    version = ingest()
    DatasetVersion.objects.filter(pk=version.pk).update(state=state)

    with pytest.raises(WrongState):
        STEPS[step](actor=operator, version_id=str(version.pk))


@pytest.mark.parametrize("step", STEPS)
def test_step_on_a_version_that_is_not_there_is_not_found(
    operator: Actor, step: str
) -> None:
    for missing in (str(uuid.uuid4()), "not a uuid"):
        with pytest.raises(NotFound):
            STEPS[step](actor=operator, version_id=missing)


def test_state_alone_does_not_freeze_without_sign_offs(
    ingest: Advance, operator: Actor
) -> None:
    version = ingest()
    DatasetVersion.objects.filter(pk=version.pk).update(state=State.APPROVED)

    with pytest.raises(NotApproved):
        services.freeze_version(actor=operator, version_id=str(version.pk))


def test_change_after_approval_is_not_covered_by_it(
    approved: DatasetVersion, operator: Actor
) -> None:
    Dataset.objects.filter(pk=approved.dataset_id).update(licence="MIT")

    with pytest.raises(NotApproved):
        services.freeze_version(actor=operator, version_id=str(approved.pk))


def test_freezing_refuses_stored_bytes_that_changed(
    approved: DatasetVersion, operator: Actor, media: Path
) -> None:
    with (media / approved.stored_as).open("ab") as stored:
        stored.write(b"{}\n")

    with pytest.raises(StoredContentChanged):
        services.freeze_version(actor=operator, version_id=str(approved.pk))

    approved.refresh_from_db()
    assert (approved.state, approved.frozen_at) == (State.APPROVED, None)


def test_freezing_refuses_when_the_file_is_gone(
    approved: DatasetVersion, operator: Actor, media: Path
) -> None:
    (media / approved.stored_as).unlink()

    with pytest.raises(StoredContentChanged, match="missing"):
        services.freeze_version(actor=operator, version_id=str(approved.pk))


def test_author_cannot_sign_for_their_own_version(
    person: Callable[..., object], acting: Callable[..., Actor], dataset: Dataset
) -> None:
    author = acting("both", Role.OPERATOR, Role.REVIEWER)
    version = services.ingest_version(
        actor=author,
        dataset=dataset,
        source=stream(jsonl(eight_rows())),
        file_format=FileFormat.JSONL,
    )
    services.validate_version(actor=author, version_id=str(version.pk))
    services.submit_version(actor=author, version_id=str(version.pk))
    request = ApprovalRequest.objects.get(subject_id=str(version.pk))

    with pytest.raises(NotPermitted, match="someone else"):
        sign(
            actor=author,
            request_id=str(request.pk),
            approve=True,
            meaning="m",
            reason="r",
        )


def test_rejected_version_returns_and_can_be_submitted_again(
    submitted: DatasetVersion, acting: Callable[..., Actor], operator: Actor
) -> None:
    request = ApprovalRequest.objects.get(subject_id=str(submitted.pk))
    sign(
        actor=acting("rex", Role.REVIEWER),
        request_id=str(request.pk),
        approve=False,
        meaning="Reviewed",
        reason="Too few rows",
    )
    submitted.refresh_from_db()
    assert submitted.state == State.VALIDATED

    again = services.submit_version(actor=operator, version_id=str(submitted.pk))

    assert again.state == State.SUBMITTED


def test_withdrawn_request_returns_the_version(
    submitted: DatasetVersion, operator: Actor
) -> None:
    request = ApprovalRequest.objects.get(subject_id=str(submitted.pk))

    withdraw_request(actor=operator, request_id=str(request.pk))

    submitted.refresh_from_db()
    assert submitted.state == State.VALIDATED
    assert events()[-1] == "datasets.version_returned"


def test_late_approval_of_a_version_that_moved_on_changes_nothing(
    submitted: DatasetVersion, sign_both: Callable[[DatasetVersion], None]
) -> None:
    DatasetVersion.objects.filter(pk=submitted.pk).update(state=State.VALIDATED)

    with pytest.raises(WrongState):
        sign_both(submitted)

    request = ApprovalRequest.objects.get(subject_id=str(submitted.pk))
    assert request.is_pending
    assert request.sign_offs.count() == 1


def test_retired_version_keeps_who_when_and_why(
    frozen: DatasetVersion, operator: Actor
) -> None:
    retired = services.retire_version(
        actor=operator, version_id=str(frozen.pk), reason="Superseded by version 2"
    )

    assert retired.state == State.RETIRED
    assert retired.retired_because == "Superseded by version 2"
    assert retired.frozen_at == frozen.frozen_at


def test_retiring_needs_a_reason_and_happens_once(
    frozen: DatasetVersion, operator: Actor
) -> None:
    with pytest.raises(InvalidInput, match="reason"):
        services.retire_version(actor=operator, version_id=str(frozen.pk), reason="  ")
    services.retire_version(actor=operator, version_id=str(frozen.pk), reason="Old")

    with pytest.raises(WrongState, match="retired"):
        services.retire_version(actor=operator, version_id=str(frozen.pk), reason="x")


def test_submitted_version_is_withdrawn_before_it_is_retired(
    submitted: DatasetVersion, operator: Actor
) -> None:
    with pytest.raises(WrongState, match="submitted"):
        services.retire_version(
            actor=operator, version_id=str(submitted.pk), reason="x"
        )


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.CLINICIAN, Role.COMPLIANCE])
def test_roles_that_sign_do_not_write(
    role: Role,
    acting: Callable[..., Actor],
    approved: DatasetVersion,
    dataset: Dataset,
    description: DatasetDescription,
) -> None:
    actor = acting("someone", role)
    key = str(approved.pk)

    with pytest.raises(NotPermitted):
        services.create_dataset(actor=actor, description=description)
    with pytest.raises(NotPermitted):
        services.ingest_version(
            actor=actor,
            dataset=dataset,
            source=stream(b""),
            file_format=FileFormat.JSONL,
        )
    for step in STEPS.values():
        with pytest.raises(NotPermitted):
            step(actor=actor, version_id=key)
    with pytest.raises(NotPermitted):
        services.retire_version(actor=actor, version_id=key, reason="x")
