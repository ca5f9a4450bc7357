"""The rows of a grant as one sequence: scope, then canaries, then masks.

Positions count what is delivered, from 1, and never move: a reader that was cut off
after position N goes on at N + 1 and gets exactly what it would have got.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from apps.datasets.canaries import (
    BLOCK_ROWS,
    blocks,
    can_carry,
    canary_of,
    canary_row,
)
from apps.datasets.contracts import DatasetSchema, Scalar, parse_schema
from apps.datasets.masking import Masker
from apps.datasets.models import DatasetGrant, DatasetVersion
from apps.datasets.storage import verified_rows

Values = dict[str, Scalar]


def delivered_total(grant: DatasetGrant) -> int:
    """How many rows a grant delivers, canaries included."""
    schema = parse_schema(grant.version.schema)
    extra = blocks(grant.row_count) if can_carry(schema, grant.columns) else 0
    return int(grant.row_count) + extra


def rows_in_scope(
    version: DatasetVersion, where: Mapping[str, Scalar]
) -> Iterator[Mapping[str, Scalar]]:
    """The rows whose fields have the wanted values, in order."""
    for row in verified_rows(version.stored_as, version.digest):
        if all(row.values.get(name) == value for name, value in where.items()):
            yield row.values


def delivered_rows(grant: DatasetGrant, first: int, last: int) -> Iterator[Values]:
    """Positions ``first`` to ``last`` of what the grant delivers, both included.

    The caller verifies the stored bytes first: a range may end before their digest is
    known.
    """
    schema = parse_schema(grant.version.schema)
    mask = Masker(schema, grant.pk)
    for position, (values, is_canary) in enumerate(with_canaries(grant, schema), 1):
        if position > last:
            return
        if position < first:
            continue
        # Masked before columns are taken: the id is known by its role. A canary keeps
        # its words, which were said by nobody and have to be found again.
        kept = schema.roles.get("text", "") if is_canary else ""
        shown = values if grant.shows_identifiers else mask.row(values, kept)
        yield {name: shown.get(name) for name in grant.columns}


def with_canaries(
    grant: DatasetGrant, schema: DatasetSchema
) -> Iterator[tuple[Values, bool]]:
    """Rows in scope, with one canary in each block of them; whether each is one."""
    rows = rows_in_scope(grant.version, grant.where)
    if not can_carry(schema, grant.columns):
        yield from ((dict(values), False) for values in rows)
        return
    count = int(grant.row_count)
    for block in range(blocks(count)):
        size = min(BLOCK_ROWS, count - block * BLOCK_ROWS)
        canary = canary_of(grant.pk, block, size)
        last: Values = {}
        for offset in range(size):
            last = dict(next(rows))
            if offset == canary.offset:
                yield canary_row(schema, canary, last), True
            yield last, False
        if canary.offset == size:
            yield canary_row(schema, canary, last), True
