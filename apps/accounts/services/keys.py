"""Issuing, rotating and revoking API keys.

The raw key is returned once and never written anywhere: not to the database, the audit
log, a message or a log line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.accounts.errors import KeyExpired, KeyRevoked
from apps.accounts.keys import announce_key_change, key_digest, new_raw_key
from apps.accounts.models import ApiKey, Tier, User
from apps.accounts.permissions import acting_user, require
from apps.accounts.scopes import checked_scopes
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.errors import InvalidInput, StateConflict

JURISDICTION = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
LONGEST_OVERLAP = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class _Wanted:
    name: str
    owner: User
    scopes: list[str]
    tier: Tier
    expires_at: datetime | None
    rotated_from: ApiKey | None = None
    jurisdiction: str = ""


@transaction.atomic
def issue_key(
    *,
    actor: Actor,
    name: str,
    owner: User,
    scopes: Iterable[str],
    tier: Tier,
    expires_at: datetime | None = None,
    jurisdiction: str = "",
) -> tuple[ApiKey, str]:
    """A new key and its raw text, which is shown once and cannot be read again.

    Raises NotPermitted without ``accounts.add_apikey``; InvalidInput for an unknown
    scope, an empty name, an inactive owner, an expiry that is past or a jurisdiction
    that is no policy's name. Whether a policy of that name is in force is asked at each
    request; without one nothing of a model is delivered.
    """
    require(actor, "accounts.add_apikey")
    wanted = _Wanted(
        name.strip(), owner, checked_scopes(scopes), tier, expires_at,
        jurisdiction=jurisdiction,
    )  # fmt: skip
    key, raw = _create(wanted)
    _record(actor, "accounts.key_issued", key, {"expires": _text(key.expires_at)})
    return key, raw


@transaction.atomic
def rotate_key(
    *,
    actor: Actor,
    key: ApiKey,
    overlap: timedelta = timedelta(days=1),
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A successor with the same name, owner, scopes, tier and jurisdiction; the old key
    ends after ``overlap``.

    ``expires_at`` of the successor defaults to as long as the old key was given. Raises
    StateConflict when the key was rotated before, KeyRevoked or KeyExpired when it is
    no longer usable.
    """
    require(actor, "accounts.rotate_apikey")
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise InvalidInput(f"An overlap is 0 to {LONGEST_OVERLAP.days} days.")
    now = timezone.now()
    old = _locked(key)
    _refuse_unusable(old, now)
    if expires_at is None and old.expires_at is not None:
        expires_at = now + (old.expires_at - old.created_at)
    new, raw = _create(
        _Wanted(
            old.name, old.owner, old.scopes, old.tier, expires_at, old, old.jurisdiction
        )
    )
    end = now + overlap
    if old.expires_at is None or old.expires_at > end:
        ApiKey.objects.filter(pk=old.pk).update(expires_at=end)
        old.expires_at = end
    details = {"successor": new.prefix, "overlap_s": int(overlap.total_seconds())}
    _record(actor, "accounts.key_rotated", old, details)
    return new, raw


@transaction.atomic
def revoke_key(*, actor: Actor, key: ApiKey, reason: str = "") -> ApiKey:
    """End a key for good; revoking one that is revoked changes nothing."""
    require(actor, "accounts.revoke_apikey")
    locked = _locked(key)
    if locked.revoked_at is not None:
        return locked
    locked.revoked_at, locked.revoked_by = timezone.now(), acting_user(actor)
    locked.save(update_fields=["revoked_at", "revoked_by"])
    _record(actor, "accounts.key_revoked", locked, {"reason": reason[:200]})
    return locked


def _create(wanted: _Wanted) -> tuple[ApiKey, str]:
    if not wanted.name or len(wanted.name) > 100:
        raise InvalidInput("A key needs a name of 1 to 100 characters.")
    if not wanted.owner.is_active:
        raise InvalidInput(f"{wanted.owner} is not active and cannot own a key.")
    if wanted.expires_at is not None and wanted.expires_at <= timezone.now():
        raise InvalidInput("A key has to expire in the future.")
    if wanted.jurisdiction and not JURISDICTION.fullmatch(wanted.jurisdiction):
        raise InvalidInput("A jurisdiction is the name of a policy, such as us-il.")
    prefix, raw = new_raw_key()
    key = ApiKey(
        prefix=prefix,
        digest=key_digest(raw, settings.PE_API_KEY_PEPPER_ID),
        pepper_id=settings.PE_API_KEY_PEPPER_ID,
        name=wanted.name,
        owner=wanted.owner,
        scopes=wanted.scopes,
        tier=wanted.tier,
        expires_at=wanted.expires_at,
        rotated_from=wanted.rotated_from,
        jurisdiction=wanted.jurisdiction,
    )
    previous = wanted.rotated_from
    key.family_id = previous.family_id if previous else key.pk
    key.save(force_insert=True)
    return key, raw


def _locked(key: ApiKey) -> ApiKey:
    return ApiKey.objects.select_for_update().get(pk=key.pk)


def _refuse_unusable(key: ApiKey, now: datetime) -> None:
    state = key.state_at(now)
    if state == "revoked":
        raise KeyRevoked(f"{key} was revoked: issue a new key instead.")
    if state == "expired":
        raise KeyExpired(f"{key} has expired: issue a new key instead.")
    if ApiKey.objects.filter(rotated_from=key).exists():
        raise StateConflict(f"{key} was rotated already: rotate its successor.")


def _text(moment: datetime | None) -> str:
    return moment.isoformat() if moment else "never"


def _record(actor: Actor, event: str, key: ApiKey, details: dict[str, object]) -> None:
    record_event(
        actor=actor,
        event=event,
        subject=Subject("accounts.apikey", str(key.pk)),
        details={
            "prefix": key.prefix,
            "owner": str(key.owner_id),
            "scopes": key.scopes,
            "tier": key.tier_id,
            "jurisdiction": key.jurisdiction,
            **details,
        },
    )
    transaction.on_commit(announce_key_change)
