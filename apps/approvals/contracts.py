"""What an app provides so that its rows can be signed for.

The approvals app knows a subject by label, id and digest only; the owning app describes
it, recomputes its digest and acts on the outcome. A digest that differs from the one
that was bound voids the request: people sign for content, not for a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from apps.core.actors import Actor


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """A subject as it stands now. ``author_id`` is the user who made it."""

    label: str
    id: str
    digest: str
    author_id: str
    title: str
    evidence: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QuorumPolicy:
    """How many must sign and who may: ``quorum`` sign-offs, each from another role."""

    roles: tuple[str, ...]
    quorum: int = 2
    expires_days: int = 30


class ApprovalSubject(Protocol):
    """One kind of thing that needs sign-off; named in ``PE_APPROVAL_SUBJECTS``."""

    label: str
    policy: QuorumPolicy

    def facts(self, subject_id: str) -> SubjectFacts:
        """The subject as it stands now; NotFound when there is none."""
        ...

    def approved(self, subject_id: str, actor: Actor) -> None:
        """Called once, in the transaction of the sign-off that met the quorum."""
        ...

    def closed(self, subject_id: str, actor: Actor) -> None:
        """Called when a request was rejected, withdrawn, expired or voided; not when
        the subject is submitted again, which replaces the request."""
        ...
