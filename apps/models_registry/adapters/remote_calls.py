"""Calls to a model server elsewhere: where they may go, how long, how often again.

A request goes to an address that was checked, not to a name that may mean another one a
moment later. Addresses of private networks and plain http are refused unless settings
name the host and port. Redirects are not followed, the environment's proxies not used.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Collection

import httpx

from apps.core.errors import Unavailable
from apps.models_registry.adapters.deadlines import remaining_s
from apps.models_registry.errors import DeadlinePassed, PredictionFailed

# How long the addresses of a name are good for (seconds).
NAME_LASTS_S = 30.0
MOST_ANSWER_BYTES = 8 << 20
MAY_PASS = frozenset({502, 503, 504})
SERVER_ERROR = 500


class AddressRefused(PredictionFailed):
    """The endpoint is on a network that settings do not open."""

    code = "endpoint_refused"
    title = "Endpoint refused"


class CheckedTransport(httpx.BaseTransport):
    """Connects to checked addresses; certificates are still those of the name."""

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(allowed)
        self._inner = httpx.HTTPTransport(trust_env=False)
        self._known: dict[tuple[str, int], tuple[float, str]] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        address = self._address(url.scheme, url.host, port)
        request.extensions = {**request.extensions, "sni_hostname": url.host}
        request.url = url.copy_with(host=address)
        return self._inner.handle_request(request)

    def _address(self, scheme: str, host: str, port: int) -> str:
        is_open = f"{host}:{port}" in self._allowed
        if scheme != "https" and not is_open:
            raise AddressRefused(
                "A model server is called over https. Plain http needs its host:port "
                "in PE_REMOTE_ALLOWED_HOSTS."
            )
        known = self._known.get((host, port))
        if known is not None and time.monotonic() < known[0]:
            return known[1]
        found = _resolved(host, port)
        if not is_open and not all(map(is_public, found)):
            raise AddressRefused(
                "The model server is on a private network. Its host:port has to be in "
                "PE_REMOTE_ALLOWED_HOSTS."
            )
        self._known[(host, port)] = (time.monotonic() + NAME_LASTS_S, found[0])
        return found[0]

    def close(self) -> None:
        self._inner.close()


def _resolved(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpx.ConnectError("The name of the model server is unknown.") from error
    return [str(entry[4][0]) for entry in found]


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet and to one host."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        parsed = parsed.ipv4_mapped or parsed.sixtofour or parsed
    return parsed.is_global and not parsed.is_multicast


class Breaker:
    """Stops calls to a server that keeps failing; later one call tries again."""

    def __init__(
        self,
        *,
        failures: int = 5,
        open_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit, self._open_s, self._clock = failures, open_s, clock
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_again_at = 0.0

    def enter(self) -> None:
        """Raises Unavailable while the circuit is open."""
        with self._lock:
            if self._failures < self._limit:
                return
            now = self._clock()
            if now < self._closed_again_at:
                raise Unavailable("The model server keeps failing; it is left alone.")
            # This caller tries; the others wait for what comes of it.
            self._closed_again_at = now + self._open_s

    def succeeded(self) -> None:
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= self._limit:
                self._closed_again_at = self._clock() + self._open_s


class RetryBudget:
    """Lets one in ten calls be repeated, so that a failing server is not stormed."""

    SHARE = 0.1
    MOST = 10.0

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = self.MOST

    def called(self) -> None:
        with self._lock:
            self._left = min(self.MOST, self._left + self.SHARE)

    def spend(self) -> bool:
        """Whether one more retry is in the budget; takes it if so."""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True


class RemoteCaller:
    """Sends JSON to one server, over pooled connections, up to ``retries`` times more.

    ``timeout_s`` bounds each wait of a call; a prediction's own deadline bounds it all.
    """

    def __init__(self, client: httpx.Client, *, timeout_s: float, retries: int) -> None:
        self._client = client
        self._timeout_s = timeout_s
        self._retries = retries
        self.breaker = Breaker()
        self.budget = RetryBudget()

    def post(self, path: str, content: bytes, deadline: float | None) -> bytes:
        """The body of a 200. Raises DeadlinePassed, AddressRefused, Unavailable."""
        self.breaker.enter()
        self.budget.called()
        for attempt in range(self._retries + 1):
            try:
                status, body = self._once(path, content, deadline)
            except httpx.TimeoutException as error:
                self.breaker.failed()
                remaining_s(deadline)
                raise DeadlinePassed("The model server is late.") from error
            except httpx.TransportError as error:
                self.breaker.failed()
                if attempt < self._retries and self.budget.spend():
                    continue
                raise Unavailable("The model server cannot be reached.") from error
            if status in MAY_PASS and attempt < self._retries and self.budget.spend():
                self.breaker.failed()
                continue
            break
        return self._judged(status, body)

    def _judged(self, status: int, body: bytes) -> bytes:
        if status >= SERVER_ERROR:
            self.breaker.failed()
        else:
            self.breaker.succeeded()
        if status != httpx.codes.OK:
            raise Unavailable(f"The model server answered with status {status}.")
        return body

    def _once(
        self, path: str, content: bytes, deadline: float | None
    ) -> tuple[int, bytes]:
        left = remaining_s(deadline)
        wait = self._timeout_s if left is None else min(self._timeout_s, left)
        parts, size = [], 0
        with self._client.stream(
            "POST", path, content=content, timeout=httpx.Timeout(wait)
        ) as answer:
            for part in answer.iter_bytes():
                remaining_s(deadline)
                size += len(part)
                if size > MOST_ANSWER_BYTES:
                    raise Unavailable("The model server's answer is too large.")
                parts.append(part)
        return answer.status_code, b"".join(parts)

    def close(self) -> None:
        self._client.close()
