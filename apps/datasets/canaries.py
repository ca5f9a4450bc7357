"""Canary rows: made-up rows, others in each grant, that tell where a leak came from.

In each block of rows one is put in at a place that only the platform can compute. Its
words are chosen by a keyed digest of the grant, so finding them in a file names the
grant: by chance a file holds one with probability 2^-40 a sentence.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.conf import settings

from apps.datasets.contracts import DatasetSchema, Scalar

BLOCK_ROWS = 200
# 32 words a slot, five bits each; eight slots.
DRINKS = (  # noqa: SIM905 - words are easier to read
    "mint ginger lemon green black white barley honey apple pear cherry plum cocoa "
    "chicory oat rice almond walnut vanilla cinnamon clove pepper nettle fennel sage "
    "thyme lavender rosehip peach orange berry spice"
).split()
WHEN = (  # noqa: SIM905 - words are easier to read
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday yesterday today tonight "
    "lately recently often sometimes rarely mornings evenings weekends spring summer "
    "autumn winter January February March April May June July August September October"
).split()
THINGS = (  # noqa: SIM905 - words are easier to read
    "garden kitchen letter bicycle window kettle library market river bakery orchestra "
    "notebook lantern staircase museum ferry harbour meadow attic sofa calendar radio "
    "blanket puzzle piano painting bridge chapel tram café orchard workshop"
).split()
FEELINGS = (  # noqa: SIM905 - words are easier to read
    "calm tired hopeful nervous quiet restless glad uneasy steady lonely curious proud "
    "worried warm empty busy lighter heavy patient shy brave lost settled anxious "
    "rested fond wistful bored eager tense grateful unsure"
).split()
SENTENCE = (
    "After some {0} tea the {1} by the {2} made me feel {3} {4}, and {5} near the {6} "
    "I was more {7}."
)
SLOTS = (DRINKS, THINGS, THINGS, FEELINGS, WHEN, WHEN, THINGS, FEELINGS)


@dataclass(frozen=True, slots=True)
class Canary:
    """``offset`` is its place among the rows of its block, from 0."""

    offset: int
    text: str
    token: str


def canary_of(grant_id: uuid.UUID, block: int, rows_in_block: int) -> Canary:
    """The canary of one block of a grant; the same whenever it is asked for."""
    key = str(settings.PE_TEXT_DIGEST_KEY).encode()
    named = b"dataset canary v1|" + grant_id.bytes + block.to_bytes(8, "big")
    drawn = hmac.new(key, named, hashlib.sha256).digest()
    words = [slot[drawn[place] % 32] for place, slot in enumerate(SLOTS)]
    offset = int.from_bytes(drawn[8:12], "big") % (rows_in_block + 1)
    return Canary(offset, SENTENCE.format(*words), drawn[12:20].hex())


def can_carry(schema: DatasetSchema, columns: list[str]) -> bool:
    """Whether the columns of a grant leave room for a canary: its text."""
    return schema.roles.get("text", "") in columns


def blocks(row_count: int) -> int:
    """How many blocks, and so canaries, there are among so many rows."""
    return -(-row_count // BLOCK_ROWS)


def canary_row(
    schema: DatasetSchema, canary: Canary, like: Mapping[str, Scalar]
) -> dict[str, Scalar]:
    """A row that looks like its neighbour and was said by nobody."""
    row = dict(like)
    row[schema.roles["text"]] = canary.text
    id_field = schema.roles.get("id", "")
    if id_field in row:
        # Six digits more, so that it is hardly ever the id of a real row.
        row[id_field] = f"{row[id_field]}{int(canary.token[:8], 16) % 10**6:06}"
    return row


def canaries_of(grant_id: uuid.UUID, row_count: int) -> Iterator[Canary]:
    """All canaries of a grant, for tracing."""
    for block in range(blocks(row_count)):
        left = row_count - block * BLOCK_ROWS
        yield canary_of(grant_id, block, min(left, BLOCK_ROWS))
