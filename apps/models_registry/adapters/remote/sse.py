"""Server-sent events as chat endpoints write them, within bounds.

Only ``data`` lines count (WHATWG HTML, section 9.2). Nothing a server sends may fill
this process's memory: lines and bodies that grow too long are refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from apps.models_registry.adapters.remote.failures import EndpointFailed

MOST_LINE_BYTES = 1 << 20
MOST_BODY_BYTES = 4 << 20


def data_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The value of each ``data`` line that is complete."""
    held = b""
    for piece in pieces:
        *lines, held = (held + piece).split(b"\n")
        if len(held) > MOST_LINE_BYTES:
            raise EndpointFailed("line_too_long")
        for line in lines:
            name, _, value = line.rstrip(b"\r").partition(b":")
            if name == b"data":
                yield value.removeprefix(b" ")


def whole_body(pieces: Iterable[bytes]) -> bytes:
    """All of a body; EndpointFailed when it is too large."""
    held = bytearray()
    for piece in pieces:
        held += piece
        if len(held) > MOST_BODY_BYTES:
            raise EndpointFailed("body_too_large")
    return bytes(held)
