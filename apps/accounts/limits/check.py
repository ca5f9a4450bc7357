"""The one rate check that callers use, over the store that settings choose."""

from __future__ import annotations

import threading
from pathlib import Path

from django.conf import settings

from apps.accounts.contracts import KeyFacts, RateState
from apps.accounts.errors import RateLimited
from apps.accounts.limits.gcra import US_PER_S, Bucket
from apps.accounts.limits.stores import FileStore, RateStore, RedisStore

_stores: dict[tuple[str, str], RateStore] = {}
_making = threading.Lock()


def check_rate(facts: KeyFacts, cost: int = 1) -> RateState:
    """Take ``cost`` requests out of the key's bucket.

    Raises RateLimited with ``retry_after_s``, LimiterUnavailable when the store is
    down. Do not call it inside a database transaction: it may wait for other processes.
    """
    bucket = Bucket(facts.tier.requests_per_second, facts.tier.burst)
    grant = _store().take(facts.family_id.hex, bucket, cost)
    if not grant.allowed:
        raise RateLimited(
            f"The tier {facts.tier.slug} allows {facts.tier.requests_per_second:g} "
            f"requests a second and {facts.tier.burst} at once.",
            retry_after_s=grant.retry_us / US_PER_S,
        )
    return RateState(
        limit=facts.tier.burst,
        remaining=grant.remaining,
        reset_s=grant.reset_us / US_PER_S,
    )


def _store() -> RateStore:
    chosen = (str(settings.REDIS_URL), str(settings.PE_LIMITER_FILE))
    store = _stores.get(chosen)
    if store is not None:
        return store
    with _making:
        if chosen not in _stores:
            url, path = chosen
            _stores[chosen] = RedisStore(url) if url else FileStore(Path(path))
        return _stores[chosen]


def close_limiter() -> None:
    """Close this process's stores: for tests and orderly shutdown."""
    with _making:
        while _stores:
            _stores.popitem()[1].close()
