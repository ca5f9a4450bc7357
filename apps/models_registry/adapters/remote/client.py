"""Calls one endpoint: pooled connections, deadlines, retries within a budget.

A call is retried only while nothing of an answer has come. Redirects are not followed
and proxies of the environment not used: words go where the version says or nowhere.
Nothing that was sent or received is logged.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import orjson

from apps.models_registry.adapters.remote.addresses import Network, checked_address
from apps.models_registry.adapters.remote.breaker import (
    CircuitBreaker,
    Clock,
    RetryBudget,
)
from apps.models_registry.adapters.remote.endpoint import Endpoint
from apps.models_registry.adapters.remote.failures import AddressRefused, EndpointFailed

logger = logging.getLogger(__name__)

RETRIED = frozenset({429, 500, 502, 503, 504})
FIRST_PAUSE_S = 0.1
MOST_CONNECTIONS = 32
OK = 200
Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Tools:
    """What a client uses that tests replace: time, and the networks it may call."""

    allowed: Sequence[Network] = ()
    clock: Clock = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class EndpointClient:
    """One pool, breaker and budget for one endpoint; safe in threads."""

    def __init__(self, endpoint: Endpoint, tools: Tools) -> None:
        self._endpoint = endpoint
        self._tools = tools
        self.breaker = CircuitBreaker(tools.clock)
        self.budget = RetryBudget()
        self._http = httpx.Client(
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(
                max_connections=MOST_CONNECTIONS,
                max_keepalive_connections=MOST_CONNECTIONS,
                keepalive_expiry=30.0,
            ),
        )

    def close(self) -> None:
        self._http.close()

    def ends_at(self, deadline_ms: float) -> float:
        return self._tools.clock() + deadline_ms / 1000

    @contextmanager
    def answer(
        self, path: str, body: Json, key: str, ends_at: float
    ) -> Iterator[Generator[bytes]]:
        """The pieces of an answer with status 200, while the block runs.

        Raises EndpointFailed, also from the pieces. Leaving the block ends the call.
        """
        response = self._opened(path, orjson.dumps(body), key, ends_at)
        try:
            with _as_failures():
                yield self._pieces(response, ends_at)
        except EndpointFailed as error:
            self._failed(error)
            raise
        except BaseException:
            # Ended by us, or a bug here: it says nothing about the endpoint.
            self.breaker.abandoned()
            raise
        else:
            self.breaker.succeeded()
        finally:
            response.close()

    def _pieces(self, response: httpx.Response, ends_at: float) -> Generator[bytes]:
        for piece in response.iter_raw():
            if self._tools.clock() >= ends_at:
                raise EndpointFailed("deadline_exceeded")
            yield piece

    def _opened(
        self, path: str, content: bytes, key: str, ends_at: float
    ) -> httpx.Response:
        self.budget.called()
        for attempt in range(1, self._endpoint.attempts + 1):
            self.breaker.enter()
            try:
                return self._tried(path, content, key, ends_at)
            except EndpointFailed as error:
                self._failed(error)
                is_last = attempt == self._endpoint.attempts
                if is_last or not self._may_retry(error, attempt, ends_at):
                    raise
            except BaseException:
                self.breaker.abandoned()
                raise
        raise AssertionError("an endpoint has at least one attempt")

    def _tried(
        self, path: str, content: bytes, key: str, ends_at: float
    ) -> httpx.Response:
        with _as_failures():
            request = self._request(path, content, key, ends_at)
            response = self._http.send(request, stream=True)
        if response.status_code == OK:
            return response
        wait_s = _seconds(response.headers.get("retry-after", ""))
        response.close()
        raise EndpointFailed(f"status_{response.status_code}", retry_after_s=wait_s)

    def _request(
        self, path: str, content: bytes, key: str, ends_at: float
    ) -> httpx.Request:
        """The request, addressed to a checked address under the endpoint's name."""
        url = httpx.URL(self._endpoint.base_url.rstrip("/") + path)
        is_plain = url.scheme == "http"
        port = url.port or (80 if is_plain else 443)
        address = checked_address(
            url.host, port, self._tools.allowed, is_plain=is_plain
        )
        left_s = ends_at - self._tools.clock()
        if left_s <= 0:
            raise EndpointFailed("deadline_exceeded")
        connect_s = min(left_s, self._endpoint.connect_timeout_s)
        read_s = min(left_s, self._endpoint.read_timeout_s)
        headers = {
            "host": url.netloc.decode("ascii"),
            "content-type": "application/json",
            # What is not compressed cannot unfold in memory.
            "accept-encoding": "identity",
        }
        if key:
            headers["authorization"] = f"Bearer {key}"
        return self._http.build_request(
            "POST",
            url.copy_with(host=address),
            content=content,
            headers=headers,
            timeout=httpx.Timeout(read_s, connect=connect_s, pool=connect_s),
            extensions={} if is_plain else {"sni_hostname": url.host},
        )

    def _may_retry(self, error: EndpointFailed, attempt: int, ends_at: float) -> bool:
        """Waits before a retry; False when there may be none."""
        if not is_worth_retrying(error.reason):
            return False
        pause_s = FIRST_PAUSE_S * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311
        wait_s = max(pause_s, error.retry_after_s or 0.0)
        if self._tools.clock() + wait_s >= ends_at or not self.budget.take():
            return False
        self._tools.sleep(wait_s)
        return True

    def _failed(self, error: EndpointFailed) -> None:
        logger.warning(
            "Model endpoint failed",
            extra={"origin": self._endpoint.origin, "reason": error.reason},
        )
        if is_its_fault(error):
            self.breaker.failed()
        else:
            self.breaker.abandoned()


def is_worth_retrying(reason: str) -> bool:
    """Whether nothing was answered and another try may fare better."""
    status = reason.removeprefix("status_")
    if status != reason:
        return int(status) in RETRIED
    return reason in {"not_connected", "cut_off"}


def is_its_fault(error: EndpointFailed) -> bool:
    """Whether a failure says that the endpoint is ill, rather than asked wrongly."""
    if isinstance(error, AddressRefused):
        return False
    status = error.reason.removeprefix("status_")
    return status == error.reason or int(status) >= 500


@contextmanager
def _as_failures() -> Iterator[None]:
    """What httpx raises, as EndpointFailed with a code."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise EndpointFailed("not_connected") from error
    except httpx.TimeoutException as error:
        raise EndpointFailed("timed_out") from error
    except httpx.TransportError as error:
        raise EndpointFailed("cut_off") from error


def _seconds(header: str) -> float | None:
    """Retry-After in seconds; a date, or anything else, is not read."""
    return float(header) if header.isascii() and header.isdigit() else None
