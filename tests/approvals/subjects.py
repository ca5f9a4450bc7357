"""A subject of the tests' own: content in memory, so that it can change in mid-air."""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.accounts.roles import Role
from apps.approvals.contracts import QuorumPolicy, SubjectFacts
from apps.core.actors import Actor
from apps.core.digests import digest_bytes
from apps.core.errors import NotFound

LABEL = "tests.letter"
PATH = "tests.approvals.subjects.LetterSubject"


@dataclass
class Letter:
    author_id: str
    text: str = "first draft"
    state: str = "submitted"
    heard: list[str] = field(default_factory=list)
    # Called by ``approved``: what another person does at that very moment.
    meanwhile: object = None


LETTERS: dict[str, Letter] = {}


class LetterSubject:
    label = LABEL
    policy = QuorumPolicy(roles=(Role.REVIEWER, Role.CLINICIAN, Role.COMPLIANCE))

    def facts(self, subject_id: str) -> SubjectFacts:
        if subject_id not in LETTERS:
            raise NotFound("There is no such letter.")
        letter = LETTERS[subject_id]
        return SubjectFacts(
            label=LABEL,
            id=subject_id,
            digest=digest_bytes(letter.text.encode()),
            author_id=letter.author_id,
            title=f"Letter {subject_id}",
            evidence={"words": len(letter.text.split())},
        )

    def approved(self, subject_id: str, actor: Actor) -> None:
        letter = LETTERS[subject_id]
        letter.heard.append("approved")
        if callable(letter.meanwhile):
            letter.meanwhile()

    def closed(self, subject_id: str, actor: Actor) -> None:
        LETTERS[subject_id].heard.append("closed")


class OverQuorumSubject(LetterSubject):
    policy = QuorumPolicy(roles=(Role.REVIEWER,), quorum=2)
