"""Whose grant did these rows come from? Canaries looked for in a file that turned up.

Text is compared without case and spacing, so that a file that was converted, escaped
or re-wrapped still tells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO

from apps.accounts.permissions import require
from apps.core.actors import Actor
from apps.datasets.canaries import can_carry, canaries_of
from apps.datasets.contracts import parse_schema
from apps.datasets.models import DatasetGrant

# What a conversion may put in or take out between words.
_NOISE = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Traced:
    """A grant of which ``found`` of ``planted`` canaries stand in the file."""

    grant: DatasetGrant
    found: int
    planted: int


def trace_leak(*, actor: Actor, leaked: BinaryIO) -> list[Traced]:
    """The grants whose canaries stand in a file, the most of them first.

    Reads the whole file into memory. Raises NotPermitted without
    ``datasets.trace_datasetgrant``.
    """
    require(actor, "datasets.trace_datasetgrant")
    text = _plain(leaked.read().decode("utf-8", "replace"))
    grants = DatasetGrant.objects.filter(granted_at__isnull=False)
    traced = []
    for grant in grants.select_related("version__dataset").iterator(chunk_size=500):
        if not can_carry(parse_schema(grant.version.schema), grant.columns):
            continue
        planted = [one.text for one in canaries_of(grant.pk, grant.row_count)]
        found = sum(_plain(sentence) in text for sentence in planted)
        if found:
            traced.append(Traced(grant, found, len(planted)))
    return sorted(traced, key=lambda one: one.found, reverse=True)


def _plain(text: str) -> str:
    return _NOISE.sub("", text).casefold()
