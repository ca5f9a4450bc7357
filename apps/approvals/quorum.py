"""The quorum as a pure function of frozen values: no database, no clock."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vote:
    signer_id: str
    role: str
    approves: bool


def outcome(votes: Sequence[Vote], quorum: int, author_id: str) -> bool | None:
    """True when approved, False when rejected, None while more must sign.

    One rejection rejects. Only votes of people other than the author count, one a
    person and one a role.
    """
    counted = [vote for vote in votes if vote.signer_id != author_id]
    if any(not vote.approves for vote in counted):
        return False
    people = {vote.signer_id for vote in counted}
    roles = {vote.role for vote in counted}
    return True if min(len(people), len(roles)) >= quorum else None


def signing_role(
    held: Collection[str], eligible: Sequence[str], taken: Collection[str]
) -> str | None:
    """The first eligible role that this person holds and nobody has signed in."""
    for role in eligible:
        if role in held and role not in taken:
            return role
    return None


def refusal(
    *,
    signer_id: str,
    author_id: str,
    held: Collection[str],
    eligible: Sequence[str],
    votes: Sequence[Vote],
) -> str:
    """Why this person may not sign, in words for the screen; empty when they may."""
    if signer_id == author_id:
        return "You made this: someone else has to sign for it."
    if any(vote.signer_id == signer_id for vote in votes):
        return "You have signed this: another person has to give the next signature."
    if not set(held) & set(eligible):
        return f"Only these roles sign this: {', '.join(eligible)}."
    if signing_role(held, eligible, {vote.role for vote in votes}) is None:
        return "Your role has signed already: another role has to sign."
    return ""
