"""The rate check that callers use, and what happens when it cannot count."""

from __future__ import annotations

import uuid

import pytest

from apps.accounts.contracts import KeyFacts, TierFacts
from apps.accounts.errors import LimiterUnavailable, RateLimited
from apps.accounts.limits import check_rate, close_limiter
from apps.accounts.limits.gcra import Bucket
from apps.accounts.limits.stores import FileStore, RedisStore


def _facts(rate: float = 0.5, burst: int = 2) -> KeyFacts:
    tier = TierFacts("small", rate, burst, 10, 100, 1000)
    key_id = uuid.uuid4()
    return KeyFacts(key_id, key_id, "pe_live_00000000", "n", "1", frozenset(), tier)


def test_burst_counts_down_then_says_when_to_retry():
    facts = _facts()

    states = [check_rate(facts), check_rate(facts)]
    with pytest.raises(RateLimited) as refused:
        check_rate(facts)

    assert [state.remaining for state in states] == [1, 0]
    assert states[0].limit == 2
    assert 0 < states[0].reset_s <= 2
    assert 0 < refused.value.extra["retry_after_s"] <= 2
    assert refused.value.status == 429


def test_two_keys_do_not_share_a_bucket():
    first, second = _facts(burst=1), _facts(burst=1)
    check_rate(first)

    assert check_rate(second).remaining == 0


def test_cost_takes_several_at_once():
    assert check_rate(_facts(burst=5), cost=4).remaining == 1


def test_limiter_that_cannot_count_lets_nothing_through(settings, tmp_path):
    settings.REDIS_URL = ""
    settings.PE_LIMITER_FILE = tmp_path  # a folder, not a file

    with pytest.raises(LimiterUnavailable):
        check_rate(_facts())


def test_damaged_limiter_file_lets_nothing_through(settings, tmp_path):
    settings.REDIS_URL = ""
    damaged = tmp_path / "damaged.sqlite3"
    damaged.write_bytes(b"this is no database" * 500)
    settings.PE_LIMITER_FILE = damaged

    with pytest.raises(LimiterUnavailable) as refused:
        check_rate(_facts())

    assert refused.value.status == 503


def test_store_recovers_once_the_file_can_be_opened(tmp_path):
    path = tmp_path / "later.sqlite3"
    path.mkdir()
    store = FileStore(path)
    with pytest.raises(LimiterUnavailable):
        store.take("k", Bucket(1, 1))

    path.rmdir()

    assert store.take("k", Bucket(1, 1)).allowed
    store.close()


def test_redis_that_is_gone_lets_nothing_through():
    store = RedisStore("redis://127.0.0.1:1/0")

    with pytest.raises(LimiterUnavailable):
        store.take("k", Bucket(1, 1))
    store.close()


def test_closed_limiter_opens_again_when_asked():
    facts = _facts(burst=2)
    check_rate(facts)

    close_limiter()

    assert check_rate(facts).remaining == 0
