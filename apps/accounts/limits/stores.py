"""Where the TAT of each key is kept: a file for one machine, Redis for many.

Both take a decision and store its outcome in one atomic step, so that N processes
together get what one would. Neither is the platform's database: losing this state
refills buckets and nothing else, so it need not survive a power loss.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import redis

from apps.accounts.errors import LimiterUnavailable
from apps.accounts.limits.gcra import Bucket, Grant, decide

BUSY_TIMEOUT_S = 2.0


class RateStore(Protocol):
    def take(self, key: str, bucket: Bucket, cost: int = 1) -> Grant:
        """Decide and store; LimiterUnavailable when it cannot be done."""
        ...

    def close(self) -> None: ...


def machine_clock_us() -> int:
    """Microseconds since this machine started: one clock for all its processes, which
    no time server sets back."""
    return time.monotonic_ns() // 1000


class FileStore:
    """A SQLite file of its own, without fsync; one connection a process."""

    def __init__(self, path: Path, clock_us: Callable[[], int] = machine_clock_us):
        self._path = path
        self._clock_us = clock_us
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._pid = 0

    def take(self, key: str, bucket: Bucket, cost: int = 1) -> Grant:
        with self._lock:
            try:
                return self._take(self._open(), key, bucket, cost)
            except (sqlite3.Error, OSError) as error:
                self._forget()
                raise LimiterUnavailable("Rates cannot be counted now.") from error

    def _take(
        self, connection: sqlite3.Connection, key: str, bucket: Bucket, cost: int
    ) -> Grant:
        connection.execute("BEGIN IMMEDIATE")
        row = connection.execute(
            "SELECT tat_us FROM bucket WHERE key = ?", (key,)
        ).fetchone()
        # The clock is read inside the transaction: takers are served in its order.
        grant = decide(row[0] if row else 0, self._clock_us(), bucket, cost)
        if not grant.allowed:
            connection.execute("ROLLBACK")
            return grant
        connection.execute(
            "INSERT INTO bucket (key, tat_us) VALUES (?, ?) "
            "ON CONFLICT (key) DO UPDATE SET tat_us = excluded.tat_us",
            (key, grant.tat_us),
        )
        connection.execute("COMMIT")
        return grant

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._pid == os.getpid():
            return self._connection
        # After a fork the parent's connection is left alone: closing it here would
        # drop locks that the parent holds.
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self._path,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS bucket "
            "(key TEXT PRIMARY KEY, tat_us INTEGER NOT NULL) WITHOUT ROWID"
        )
        self._connection, self._pid = connection, os.getpid()
        return connection

    def _forget(self) -> None:
        if self._connection is not None and self._pid == os.getpid():
            self._connection.close()
        self._connection = None

    def close(self) -> None:
        with self._lock:
            self._forget()


# KEYS[1] the bucket; ARGV: interval, capacity, cost, now ('' reads the server's clock).
# The same arithmetic as gcra.decide; whole microseconds stay below 2^53.
LUA = """
local now = tonumber(ARGV[4])
if not now then
  local t = redis.call('TIME')
  now = t[1] * 1000000 + t[2]
end
local interval, capacity = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = now + capacity
local tat = tonumber(redis.call('GET', KEYS[1]) or '0')
local start = math.min(math.max(tat, now), full)
local after = start + tonumber(ARGV[3]) * interval
if after > full then
  return {0, start, math.floor((full - start) / interval), start - now, after - full}
end
redis.call('SET', KEYS[1], string.format('%.0f', after),
           'PX', math.ceil((after - now) / 1000) + 1000)
return {1, after, math.floor((full - after) / interval), after - now, 0}
"""


class RedisStore:
    """Redis, by its own clock: one limit for every machine that shares the server."""

    def __init__(self, url: str, clock_us: Callable[[], int] | None = None):
        self._client = redis.Redis.from_url(
            url, socket_timeout=1.0, socket_connect_timeout=1.0
        )
        self._script = self._client.register_script(LUA)
        self._clock_us = clock_us

    def take(self, key: str, bucket: Bucket, cost: int = 1) -> Grant:
        now = "" if self._clock_us is None else self._clock_us()
        arguments = [bucket.interval_us, bucket.capacity_us, cost, now]
        try:
            found = self._script(keys=[f"pe:rate:{key}"], args=arguments)
        except redis.RedisError as error:
            raise LimiterUnavailable("Rates cannot be counted now.") from error
        return Grant(bool(found[0]), *found[1:])

    def close(self) -> None:
        self._client.close()
