"""Moving a version along: validated, submitted, frozen, retired.

Each step is permitted or refused by lifecycle.MAY, and moves the state by a conditional
update, so that of two people at once one is told that the other was first.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from apps.accounts.permissions import acting_user, require
from apps.approvals.selectors import approved_request
from apps.approvals.services import request_approval
from apps.core.actors import Actor
from apps.core.errors import InvalidInput, NotFound
from apps.datasets import storage
from apps.datasets.errors import WrongState
from apps.datasets.lifecycle import why_not
from apps.datasets.models import (
    DatasetVersion,
    ValidationFinding,
    ValidationReport,
)
from apps.datasets.selectors import (
    SUBJECT_LABEL,
    rows_with_locators,
    subject_digest,
    validation_context,
    validator_family,
)
from apps.datasets.services.records import record_version_event
from apps.datasets.validation import Outcome, run_validators

State = DatasetVersion.State


def validate_version(*, actor: Actor, version_id: str) -> ValidationReport:
    """Run all validators; the version becomes VALIDATED, or QUARANTINED on an error.

    Raises StoredContentChanged when the stored bytes are not those recorded.
    """
    version = _found(version_id)
    require(actor, "datasets.validate_datasetversion", version)
    _refuse_state("validate", version)
    outcome = run_validators(
        rows_with_locators(version), validation_context(version), validator_family()
    )
    with transaction.atomic():
        version = _locked(version_id)
        _refuse_state("validate", version)
        report = _save_report(actor, version, outcome)
        new = State.VALIDATED if outcome.passed else State.QUARANTINED
        _move(version, version.state, new)
        details = {
            "report": report.pk,
            "findings": {found.code: found.count for _, found in outcome.findings},
        }
        record_version_event(actor, f"datasets.version_{new.value}", version, details)
    return report


def _save_report(
    actor: Actor, version: DatasetVersion, outcome: Outcome
) -> ValidationReport:
    report = ValidationReport.objects.create(
        version=version,
        passed=outcome.passed,
        row_count=outcome.row_count,
        validators=dict(outcome.versions),
        made_by=acting_user(actor),
    )
    ValidationFinding.objects.bulk_create(
        ValidationFinding(
            report=report,
            validator=validator,
            code=found.code,
            severity=found.severity.value,
            count=found.count,
            locators=list(found.locators),
        )
        for validator, found in outcome.findings
    )
    return report


@transaction.atomic
def submit_version(
    *, actor: Actor, version_id: str, reason: str = ""
) -> DatasetVersion:
    """Ask for sign-offs on the version as it stands; VALIDATED to SUBMITTED."""
    version = _locked(version_id)
    require(actor, "datasets.submit_datasetversion", version)
    _refuse_state("submit", version)
    request = request_approval(
        actor=actor,
        subject_label=SUBJECT_LABEL,
        subject_id=str(version.pk),
        reason=reason,
    )
    _move(version, State.VALIDATED, State.SUBMITTED)
    details = {"request": str(request.pk)}
    record_version_event(actor, "datasets.version_submitted", version, details)
    return version


@transaction.atomic
def freeze_version(*, actor: Actor, version_id: str) -> DatasetVersion:
    """APPROVED to FROZEN: from now on manifests may name the digest.

    Raises NotApproved when the sign-offs do not cover the version as it stands now,
    StoredContentChanged when the stored bytes differ from the digest.
    """
    version = _locked(version_id)
    require(actor, "datasets.freeze_datasetversion", version)
    _refuse_state("freeze", version)
    request = approved_request(SUBJECT_LABEL, str(version.pk), subject_digest(version))
    storage.verify(version.stored_as, version.digest)
    user, now = acting_user(actor), timezone.now()
    _move(version, State.APPROVED, State.FROZEN, frozen_by=user, frozen_at=now)
    details = {"request": str(request.pk)}
    record_version_event(actor, "datasets.version_frozen", version, details)
    return version


@transaction.atomic
def retire_version(*, actor: Actor, version_id: str, reason: str) -> DatasetVersion:
    """No new manifest may name it; what was trained on it keeps its lineage."""
    version = _locked(version_id)
    require(actor, "datasets.retire_datasetversion", version)
    if not reason.strip():
        raise InvalidInput("Retiring a version needs a reason.")
    _refuse_state("retire", version)
    old = version.state
    _move(
        version,
        old,
        State.RETIRED,
        retired_by=acting_user(actor),
        retired_at=timezone.now(),
        retired_because=reason.strip(),
    )
    record_version_event(actor, "datasets.version_retired", version, {"from": old})
    return version


def _found(version_id: str) -> DatasetVersion:
    try:
        return DatasetVersion.objects.select_related("dataset").get(pk=version_id)
    except (DatasetVersion.DoesNotExist, ValidationError) as error:
        raise NotFound("There is no such dataset version.") from error


def _locked(version_id: str) -> DatasetVersion:
    version = _found(version_id)
    locked = DatasetVersion.objects.select_for_update().get(pk=version.pk)
    locked.dataset = version.dataset
    return locked


def _refuse_state(verb: str, version: DatasetVersion) -> None:
    refusal = why_not(verb, version.state)
    if refusal:
        raise WrongState(refusal)


def _move(
    version: DatasetVersion, old: str, new: DatasetVersion.State, **fields: object
) -> None:
    rows = DatasetVersion.objects.filter(pk=version.pk, state=old)
    if rows.update(state=new, **fields) != 1:
        raise WrongState(f"The version is no longer {old}: someone else moved it.")
    version.refresh_from_db()
