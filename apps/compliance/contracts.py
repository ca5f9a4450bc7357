"""What is kept, as one family of descriptions: the retention table and the erasure of a
person are made from the same values, so that neither can forget what the other knows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Kept:
    """One line of the retention table. ``tables`` are model labels, or a folder.

    ``period`` says how long and names the setting that decides; ``ends_by`` what
    removes it; ``erasure`` what becomes of it when a person is erased.
    """

    name: str
    tables: tuple[str, ...]
    holds: str
    period: str
    ends_by: str
    erasure: str
    why: str


class Holding(ABC):
    """Something kept that belongs to a person; one plug-in each
    (``PE_PERSONAL_HOLDINGS``)."""

    name: ClassVar[str] = ""
    kept: ClassVar[Kept]

    @abstractmethod
    def export(self, subject: str) -> list[dict[str, object]]:
        """All of it in JSON values, oldest first, opened where it is sealed."""

    @abstractmethod
    def erase(self, subject: str, before: datetime) -> int:
        """Remove what there was at a moment; how many rows. Safe to run twice."""
