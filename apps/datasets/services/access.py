"""Access to rows: asked for, granted by sign-off, read in pieces, revoked at any time.

Every read leaves two entries: one with the range it was for, committed before the first
row leaves, and one with the rows that left, however it ended.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import ApiKey
from apps.accounts.permissions import acting_user, require
from apps.approvals.services import request_approval
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.errors import InvalidInput, NotFound
from apps.datasets import storage
from apps.datasets.contracts import Scalar, parse_schema
from apps.datasets.encoding import ENCODERS
from apps.datasets.errors import GrantClosed
from apps.datasets.models import DatasetGrant, DatasetVersion
from apps.datasets.reading import delivered_rows, delivered_total, rows_in_scope
from apps.datasets.selectors import frozen_version

LABEL = "datasets.datasetgrant"
# Rows of one answer, so that it ends well before a server gives up on it: the privacy
# gate takes a few ms a row.
MAX_ROWS = 2_000
# How long a stream may go on after a grant was revoked (rows, seconds).
CHECK_ROWS, CHECK_S = 100, 0.5
State = DatasetGrant.State


@dataclass(frozen=True, slots=True)
class AccessAsked:
    """What a program is to be given. ``program`` is the prefix of one of its keys;
    empty ``columns`` means every column; ``where`` maps fields to wanted values."""

    version_digest: str
    program: str
    purpose: str
    columns: tuple[str, ...] = ()
    where: Mapping[str, Scalar] | None = None
    shows_identifiers: bool = False
    days: int = 30


@dataclass(frozen=True, slots=True)
class Read:
    """One read that may start: positions ``first`` to ``last`` of ``total``."""

    grant: DatasetGrant
    file_format: str
    first: int
    last: int
    total: int


def request_access(*, actor: Actor, asked: AccessAsked) -> DatasetGrant:
    """A grant that waits for its signatures.

    Raises NotFrozen or NotFound for the version, NotFound for a program without a key,
    InvalidInput for a scope that the schema does not know or that holds no row.
    """
    require(actor, "datasets.add_datasetgrant")
    version = frozen_version(asked.version_digest)
    key = ApiKey.objects.filter(prefix=asked.program.strip()).first()
    if key is None:
        raise NotFound("No API key has this prefix.")
    columns, where = _scope(version, asked)
    storage.verify(version.stored_as, version.digest)
    count = sum(1 for _ in rows_in_scope(version, where))
    if not count:
        raise InvalidInput("No row of the version is in this scope.")
    with transaction.atomic():
        grant = DatasetGrant.objects.create(
            version=version,
            family_id=key.family_id,
            program=str(key)[:120],
            purpose=_purpose(asked.purpose),
            columns=columns,
            where=where,
            shows_identifiers=asked.shows_identifiers,
            days=_days(asked.days),
            row_count=count,
            requested_by=acting_user(actor),
        )
        request_approval(
            actor=actor,
            subject_label=LABEL,
            subject_id=str(grant.pk),
            reason=grant.purpose,
        )
        record_grant(actor, "datasets.access_requested", grant, rows=count)
    return grant


def _scope(
    version: DatasetVersion, asked: AccessAsked
) -> tuple[list[str], dict[str, Scalar]]:
    fields = parse_schema(version.schema).by_name()
    columns = list(asked.columns) or list(fields)
    where = dict(asked.where or {})
    unknown = sorted({*columns, *where} - fields.keys())
    if unknown or len(set(columns)) != len(columns):
        known = ", ".join(fields)
        raise InvalidInput(f"Columns are named once, out of: {known}.")
    if not all(fields[name].accepts_type(value) for name, value in where.items()):
        raise InvalidInput("A wanted value has the type of its field.")
    return columns, where


def _purpose(text: str) -> str:
    given = " ".join(text.split())
    if not 20 <= len(given) <= 2000:
        raise InvalidInput("Say in 20 to 2000 characters what the rows are for.")
    return given


def _days(days: int) -> int:
    if not 1 <= days <= 366:
        raise InvalidInput("A grant is open for 1 to 366 days.")
    return days


@transaction.atomic
def revoke_access(*, actor: Actor, grant_id: str, because: str) -> DatasetGrant:
    """End a grant now; streams that are open end within half a second."""
    require(actor, "datasets.revoke_datasetgrant")
    grant = _found(grant_id)
    given = " ".join(because.split())
    if not 10 <= len(given) <= 300:
        raise InvalidInput("Say why in 10 to 300 characters; it is kept.")
    rows = DatasetGrant.objects.filter(pk=grant.pk, state=State.GRANTED)
    revoked = rows.update(
        state=State.REVOKED,
        revoked_by=acting_user(actor),
        revoked_at=timezone.now(),
        revoked_because=given,
    )
    if revoked != 1:
        raise GrantClosed("Only a grant that is in force can be revoked.")
    grant.refresh_from_db()
    record_grant(actor, "datasets.access_revoked", grant, because=given)
    return grant


def prepare_read(
    *, actor: Actor, family_id: uuid.UUID, grant_id: str, file_format: str, first: int
) -> Read:
    """Whether this program may read from a position on, and how far in one answer.

    Raises NotFound for a grant of somebody else, GrantClosed for one that is not in
    force, InvalidInput for a format or position that does not exist.
    """
    require(actor, "datasets.read_datasetgrant")
    grant = _found(grant_id)
    if grant.family_id != family_id:
        raise NotFound("There is no such grant.")
    _refuse_closed(grant)
    if file_format not in ENCODERS:
        raise InvalidInput(f"A format is one of {', '.join(ENCODERS)}.")
    total = delivered_total(grant)
    if not 1 <= first <= total:
        raise InvalidInput(f"Rows are numbered from 1 to {total}.")
    return Read(grant, file_format, first, min(total, first + MAX_ROWS - 1), total)


def stream_read(*, actor: Actor, read: Read) -> Iterator[bytes]:
    """The encoded rows of a prepared read, audited.

    Raises GrantClosed in the middle when the grant ends: what was sent then has no
    proper end, so that nobody takes it for the whole.
    """
    grant = read.grant
    storage.verify(grant.version.stored_as, grant.version.digest)
    with transaction.atomic():
        record_grant(
            actor,
            "datasets.rows_asked",
            grant,
            first=read.first,
            last=read.last,
            format=read.file_format,
        )
    return _audited(actor, read)


def _audited(actor: Actor, read: Read) -> Iterator[bytes]:
    """The stream itself; its last entry says how many rows left and why it ended."""
    encode, _ = ENCODERS[read.file_format]
    schema = parse_schema(read.grant.version.schema)
    watched = _Watched(read)
    ended = "cut off by the reader"
    try:
        yield from encode(iter(watched), read.grant.columns, schema)
        ended = "complete"
    except GrantClosed:
        ended = "grant closed"
        raise
    finally:
        with transaction.atomic():
            record_grant(
                actor,
                "datasets.rows_read",
                read.grant,
                first=read.first,
                rows=watched.rows,
                ended=ended,
            )


class _Watched:
    """Rows of a read, counted; looks now and then whether the grant is still open."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.rows = 0

    def __iter__(self) -> Iterator[dict[str, Scalar]]:
        read, looked_at = self._read, time.monotonic()
        for row in delivered_rows(read.grant, read.first, read.last):
            late = time.monotonic() - looked_at > CHECK_S
            if late or self.rows % CHECK_ROWS == 0:
                _refuse_closed(_found(str(read.grant.pk)))
                looked_at = time.monotonic()
            self.rows += 1
            yield row


def _refuse_closed(grant: DatasetGrant) -> None:
    if not grant.is_open(timezone.now()):
        raise GrantClosed("This grant is not in force: it expired or was revoked.")


def _found(grant_id: str) -> DatasetGrant:
    try:
        return DatasetGrant.objects.select_related("version__dataset").get(pk=grant_id)
    except (DatasetGrant.DoesNotExist, ValidationError) as error:
        raise NotFound("There is no such grant.") from error


def record_grant(
    actor: Actor, event: str, grant: DatasetGrant, **details: object
) -> None:
    """An entry about a grant, in the transaction that is open."""
    record_event(
        actor=actor,
        event=event,
        subject=Subject(LABEL, str(grant.pk), grant.version.digest),
        details={"program": str(grant.family_id), **details},
    )
