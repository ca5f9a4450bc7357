"""The rate algorithm, and that both stores do what the pure function says."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.limits.gcra import Bucket, decide
from apps.accounts.limits.stores import FileStore, RedisStore

REDIS_URL = os.environ.get("REDIS_URL", "")
BUCKETS = st.builds(
    Bucket,
    rate=st.floats(0.01, 5000, allow_nan=False),
    burst=st.integers(1, 500),
)
# Steps between requests in microseconds, and how much each asks for.
ARRIVALS = st.lists(
    st.tuples(st.integers(0, 3_000_000), st.integers(1, 4)), min_size=1, max_size=60
)


def test_full_burst_passes_then_one_per_interval():
    bucket = Bucket(rate=10, burst=3)
    tat, now, passed = 0, 1_000_000, []

    for at in (now, now, now, now, now + 99_999, now + 100_000):
        grant = decide(tat, at, bucket)
        tat = grant.tat_us
        passed.append(grant.allowed)

    assert passed == [True, True, True, False, False, True]


def test_refusal_says_exactly_when_to_come_back():
    bucket = Bucket(rate=2, burst=1)
    taken = decide(0, 5_000_000, bucket)

    refused = decide(taken.tat_us, 5_100_000, bucket)

    assert refused.retry_us == 400_000
    assert not decide(taken.tat_us, 5_499_999, bucket).allowed
    assert decide(taken.tat_us, 5_500_000, bucket).allowed


def test_cost_above_the_burst_never_passes():
    assert not decide(0, 10**9, Bucket(rate=1, burst=2), cost=3).allowed


def test_clock_that_went_back_locks_nobody_out_for_longer_than_a_full_bucket():
    bucket = Bucket(rate=1, burst=3)

    refused = decide(10**15, 1_000_000, bucket)

    assert not refused.allowed
    assert refused.retry_us == bucket.interval_us


@given(bucket=BUCKETS, arrivals=ARRIVALS)
def test_never_more_than_burst_plus_rate_times_time(bucket, arrivals):
    tat, start, now, taken = 0, 10**9, 10**9, 0

    for step, cost in arrivals:
        now += step
        grant = decide(tat, now, bucket, cost)
        tat = grant.tat_us
        taken += cost if grant.allowed else 0

        assert taken <= bucket.burst + bucket.rate * (now - start) / 1e6 + 1e-6
        assert 0 <= grant.remaining <= bucket.burst


def _agrees(store, clock, bucket, arrivals):
    key, tat = uuid.uuid4().hex, 0
    for step, cost in arrivals:
        clock[0] += step
        expected = decide(tat, clock[0], bucket, cost)
        assert store.take(key, bucket, cost) == expected
        tat = expected.tat_us if expected.allowed else tat


@settings(
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(bucket=BUCKETS, arrivals=ARRIVALS)
def test_file_store_agrees_with_the_pure_function(tmp_path, bucket, arrivals):
    clock = [10**12]
    store = FileStore(tmp_path / "limits.sqlite3", clock_us=lambda: clock[0])

    _agrees(store, clock, bucket, arrivals)
    store.close()


@pytest.mark.skipif(not REDIS_URL, reason="needs REDIS_URL")
@settings(deadline=None, max_examples=50)
@given(bucket=BUCKETS, arrivals=ARRIVALS)
def test_redis_store_agrees_with_the_pure_function(bucket, arrivals):
    clock = [10**12]
    store = RedisStore(REDIS_URL, clock_us=lambda: clock[0])

    _agrees(store, clock, bucket, arrivals)
    store.close()


TAKER = """
import sys, time
sys.path.insert(0, {root!r})
from apps.accounts.limits.gcra import Bucket
from apps.accounts.limits.stores import FileStore, RedisStore
url, path, key = sys.argv[1:4]
from pathlib import Path
store = RedisStore(url) if url else FileStore(Path(path))
bucket = Bucket(rate=200, burst=50)
sys.stdin.readline()
begun, taken = time.monotonic(), 0
while time.monotonic() < begun + 0.5:
    taken += store.take(key, bucket).allowed
print(begun, time.monotonic(), taken)
"""


@pytest.mark.parametrize(
    "url",
    [
        "",
        pytest.param(
            REDIS_URL, marks=pytest.mark.skipif(not REDIS_URL, reason="needs REDIS_URL")
        ),
    ],
)
def test_processes_together_never_exceed_burst_plus_rate_times_time(tmp_path, url):
    root = str(Path(__file__).parents[2])
    script = textwrap.dedent(TAKER.format(root=root))
    arguments = [url, str(tmp_path / "limits.sqlite3"), uuid.uuid4().hex]
    takers = [
        subprocess.Popen(
            [sys.executable, "-c", script, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]

    outcomes = [taker.communicate("go\n", timeout=60)[0].split() for taker in takers]

    begun = min(float(outcome[0]) for outcome in outcomes)
    ended = max(float(outcome[1]) for outcome in outcomes)
    taken = sum(int(outcome[2]) for outcome in outcomes)
    assert taken <= 50 + 200 * (ended - begun)
    assert taken >= 50
