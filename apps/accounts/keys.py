"""From the text of a key to the facts about it: format, keyed hash, short cache.

The raw key exists once, when it is issued. What is stored is HMAC-SHA256 under a
pepper that is not in the database: a copy of the table opens nothing. A fast hash is
right here, since the secret is 256 random bits and not a password.

How soon a change is obeyed: expiry exactly. Revocation, and any other change to a key,
its tier or its owner: at once in every process of the machine that made it, through a
stamp file, and within ``CACHE_TTL_S`` on every other machine.
While the database does not answer, a key known here is good for ``GRACE_S`` longer: no
model's word can leave then, and the crisis gate can still see the text.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
import string
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseError
from django.db.models import Q
from django.utils import timezone

from apps.accounts.contracts import KeyFacts, TierFacts
from apps.accounts.errors import KeyExpired, KeyMalformed, KeyRevoked, KeyUnknown
from apps.accounts.models import ApiKey, Tier

logger = logging.getLogger(__name__)

MARK = "pe_live_"
KEY_FORM = re.compile(r"(pe_live_[a-z0-9]{8})_[A-Za-z0-9_-]{43}")
PREFIX_ALPHABET = string.ascii_lowercase + string.digits
CACHE_TTL_S = 2.0
CACHE_SIZE = 4096
# Without a database no model's word can leave (closing needs it); a key that was good
# a while ago still lets the crisis gate see the text and answer it.
GRACE_S = 3600.0
LAST_USED_EVERY = timedelta(minutes=1)


def new_raw_key() -> tuple[str, str]:
    """A fresh prefix and the raw key that starts with it."""
    prefix = MARK + "".join(secrets.choice(PREFIX_ALPHABET) for _ in range(8))
    return prefix, f"{prefix}_{secrets.token_urlsafe(32)}"


def key_digest(raw: str, pepper_id: str) -> str:
    """64 hexadecimal digits; KeyError when the pepper is not configured."""
    pepper = settings.PE_API_KEY_PEPPERS[pepper_id].encode()
    return hmac.new(pepper, raw.encode(), hashlib.sha256).hexdigest()


def authenticate_key(raw: str) -> KeyFacts:
    """The facts of a usable key.

    Raises a subclass of InvalidKey: KeyMalformed, KeyUnknown (also for a wrong secret),
    KeyExpired, KeyRevoked (also when the owner is no longer active).
    """
    form = KEY_FORM.fullmatch(raw)
    if form is None:
        raise KeyMalformed("An API key reads pe_live_XXXXXXXX_ and 43 characters.")
    now = timezone.now()
    entry = _cache.get(raw) or _read_entry(form[1], raw)
    facts = entry.facts
    if facts.expires_at is not None and facts.expires_at <= now:
        raise KeyExpired(f"The key {facts.prefix} has expired: issue or rotate one.")
    _note_use(facts, now)
    return facts


def _read_entry(prefix: str, raw: str) -> _Entry:
    """The entry from the database, or the one known last while it does not answer."""
    try:
        return _cache.put(raw, lambda: _look_up(prefix, raw))
    except DatabaseError:
        known = _cache.known_last(raw)
        if known is None:
            raise
        logger.warning("Key known from before: no database")
        return known


def _look_up(prefix: str, raw: str) -> KeyFacts:
    key = (
        ApiKey.objects.select_related("tier", "owner")
        .filter(prefix=prefix, pepper_id__in=settings.PE_API_KEY_PEPPERS)
        .first()
    )
    # An unknown prefix costs the same hash and comparison as a wrong secret.
    pepper_id = key.pepper_id if key else settings.PE_API_KEY_PEPPER_ID
    stored = key.digest if key else "0" * 64
    if not hmac.compare_digest(key_digest(raw, pepper_id), stored) or key is None:
        raise KeyUnknown("This API key is not known here.")
    if key.revoked_at is not None:
        raise KeyRevoked(f"The key {prefix} was revoked.")
    if not key.owner.is_active:
        raise KeyRevoked(f"The owner of the key {prefix} is no longer active.")
    return key_facts(key)


def key_facts(key: ApiKey) -> KeyFacts:
    """The row as a frozen value; reads ``key.tier``."""
    return KeyFacts(
        id=key.pk,
        family_id=key.family_id,
        prefix=key.prefix,
        label=key.name,
        owner_id=str(key.owner_id),
        scopes=frozenset(key.scopes),
        tier=tier_facts(key.tier),
        expires_at=key.expires_at,
        jurisdiction=key.jurisdiction,
    )


def tier_facts(tier: Tier) -> TierFacts:
    models = tier.allowed_models
    return TierFacts(
        slug=tier.slug,
        requests_per_second=tier.requests_per_second,
        burst=tier.burst,
        daily_quota=tier.daily_quota,
        monthly_quota=tier.monthly_quota,
        max_text_chars=tier.max_text_chars,
        allowed_models=None if models is None else frozenset(models),
    )


def usable_key_of(family_id: UUID) -> KeyFacts:
    """The newest key of a line that may be used now; KeyRevoked when none may."""
    now = timezone.now()
    lasting = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    key = (
        ApiKey.objects.select_related("tier", "owner")
        .filter(lasting, family_id=family_id, revoked_at__isnull=True)
        .filter(owner__is_active=True)
        .order_by("-created_at")
        .first()
    )
    if key is None:
        raise KeyRevoked("Every key of this line was revoked or has expired.")
    return key_facts(key)


@dataclass(slots=True)
class _Entry:
    facts: KeyFacts
    read_at: float  # monotonic seconds
    stamp: int


class KeyCache:
    """Facts by the SHA-256 of the raw key, for at most ``CACHE_TTL_S``.

    The stamp is read before the row: a change that commits in between makes the entry
    stale at birth rather than wrong for two seconds.
    """

    def __init__(self) -> None:
        self._entries: dict[bytes, _Entry] = {}
        self._noted: dict[UUID, datetime] = {}

    def get(self, raw: str) -> _Entry | None:
        entry = self._entries.get(_cache_key(raw))
        if entry is None or entry.stamp != _stamp():
            return None
        return entry if time.monotonic() - entry.read_at < CACHE_TTL_S else None

    def known_last(self, raw: str) -> _Entry | None:
        """An entry past its time, for ``GRACE_S`` and while no key was changed here."""
        entry = self._entries.get(_cache_key(raw))
        if entry is None or entry.stamp != _stamp():
            return None
        return entry if time.monotonic() - entry.read_at < GRACE_S else None

    def put(self, raw: str, read: Callable[[], KeyFacts]) -> _Entry:
        """Read the facts and keep them; what ``read`` raises is never kept."""
        stamp, read_at = _stamp(), time.monotonic()
        entry = _Entry(read(), read_at, stamp)
        if len(self._entries) >= CACHE_SIZE:
            self._entries.clear()
        self._entries[_cache_key(raw)] = entry
        return entry

    def due(self, key_id: UUID, now: datetime) -> bool:
        """Whether this process has not written ``last_used_at`` in the last minute."""
        noted = self._noted.get(key_id)
        if noted is not None and noted <= now < noted + LAST_USED_EVERY:
            return False
        if len(self._noted) >= CACHE_SIZE:
            self._noted.clear()
        self._noted[key_id] = now
        return True

    def clear(self) -> None:
        self._entries.clear()
        self._noted.clear()


_cache = KeyCache()


def forget_cached_keys() -> None:
    """Drop what this process has cached: for tests and after a fork."""
    _cache.clear()


def _cache_key(raw: str) -> bytes:
    return hashlib.sha256(raw.encode()).digest()


def _stamp() -> int:
    """The size of the stamp file: it grows by a byte with every change to a key."""
    with suppress(FileNotFoundError):
        return Path(settings.PE_KEY_STAMP_FILE).stat().st_size
    return 0


def announce_key_change() -> None:
    """Make every process of this machine read its keys again; call after a commit."""
    path = Path(settings.PE_KEY_STAMP_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as stream:
        stream.write(b".")


def _note_use(facts: KeyFacts, now: datetime) -> None:
    """Write ``last_used_at`` at most once a minute and process, newest wins."""
    if not _cache.due(facts.id, now):
        return
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - LAST_USED_EVERY)
    try:
        ApiKey.objects.filter(stale, pk=facts.id).update(last_used_at=now)
    except DatabaseError as error:
        # A database that only reads must not shut out a person in need.
        logger.warning("Last use of a key not written", exc_info=error)
