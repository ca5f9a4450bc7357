"""Who acts: one frozen value that every service takes, in HTTP, Celery and commands.

There is no actor that means "skip checks": a system actor holds only the permissions
that ``SYSTEM_PERMISSIONS`` in apps.accounts.roles writes down for it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum


class ActorKind(StrEnum):
    STAFF = "staff"
    API_KEY = "api_key"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """An acting person, program or part of the platform.

    ``permissions`` are Django names such as ``datasets.freeze_datasetversion`` that
    hold for every object; object-level grants are looked up through apps.accounts.
    """

    kind: ActorKind
    id: str
    label: str
    roles: frozenset[str] = field(default_factory=frozenset)
    permissions: frozenset[str] = field(default_factory=frozenset)

    def to_header(self) -> dict[str, str]:
        """What travels into a Celery task; permissions are looked up again there."""
        return {"kind": self.kind.value, "id": self.id, "label": self.label}


@dataclass(frozen=True, slots=True)
class Subject:
    """What an action is about, as text: no foreign key, so rows may outlive it."""

    label: str
    id: str
    digest: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)
