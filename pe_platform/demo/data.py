"""From files to frozen dataset versions: ingest, validate, submit, sign, freeze."""

from __future__ import annotations

import json

from apps.core.errors import NotFound, StateConflict
from apps.datasets.contracts import FileFormat
from apps.datasets.models import DatasetVersion
from apps.datasets.selectors import SUBJECT_LABEL, dataset_named, versions_of
from apps.datasets.services import (
    DatasetDescription,
    create_dataset,
    freeze_version,
    ingest_version,
    submit_version,
    validate_version,
)
from pe_platform.demo.cast import (
    COMPLIANCE,
    LICENCE,
    OPERATOR,
    REVIEWER,
    DemoDataset,
)
from pe_platform.demo.people import acting
from pe_platform.demo.signing import sign_pending

State = DatasetVersion.State


def ensure_frozen(wanted: DemoDataset) -> DatasetVersion:
    """The frozen version of a demo dataset, brought there from wherever it stands."""
    version = _ingested(wanted)
    version_id = str(version.pk)
    actor = acting(OPERATOR)
    if version.state == State.INGESTED:
        validate_version(actor=actor, version_id=version_id)
        version.refresh_from_db()
    if version.state == State.QUARANTINED:
        raise StateConflict(f"{wanted.name} is quarantined: its findings say why.")
    if version.state == State.VALIDATED:
        submit_version(actor=actor, version_id=version_id, reason="for the demo")
    sign_pending(
        SUBJECT_LABEL,
        version_id,
        (REVIEWER, COMPLIANCE),
        "Original text, licence and validation report read.",
    )
    version.refresh_from_db()
    if version.state == State.APPROVED:
        version = freeze_version(actor=actor, version_id=version_id)
    return version


def _ingested(wanted: DemoDataset) -> DatasetVersion:
    actor = acting(OPERATOR)
    try:
        dataset = dataset_named(wanted.name)
    except NotFound:
        dataset = create_dataset(
            actor=actor,
            description=DatasetDescription(
                name=wanted.name,
                title=wanted.title,
                purpose=wanted.purpose,
                licence=LICENCE,
                schema=json.loads(wanted.schema_path.read_text()),
            ),
        )
    known = versions_of(wanted.name).exclude(state=State.RETIRED).first()
    if known is not None:
        return known
    with wanted.path.open("rb") as source:
        return ingest_version(
            actor=actor, dataset=dataset, source=source, file_format=FileFormat.JSONL
        )
