"""Compressed bodies: read with a bound on what they unfold to, never beyond it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from apps.inference.errors import BodyTooLarge, InvalidBody, UnknownEncoding

# zlib's window bits by Content-Encoding: a gzip header, or a zlib one.
WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
# No single step unfolds to more than this (bytes).
STEP_BYTES = 1 << 18


def unfolded(
    chunks: Iterable[bytes], encoding: str, *, limit_bytes: int
) -> Iterator[bytes]:
    """The decoded body in pieces. ``encoding`` is the Content-Encoding field.

    Raises UnknownEncoding (415), InvalidBody for damaged or cut data, BodyTooLarge
    beyond ``limit_bytes``.
    """
    name = encoding.strip().lower()
    pieces = iter(chunks) if name in ("", "identity") else _inflated(chunks, name)
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > limit_bytes:
            raise BodyTooLarge(
                f"The body unfolds to more than {limit_bytes} bytes: send less.",
                extra={"limit_bytes": limit_bytes},
            )
        yield piece


def _inflated(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    if name not in WINDOW_BITS:
        raise UnknownEncoding("Send the body with Content-Encoding gzip or deflate.")
    engine = zlib.decompressobj(WINDOW_BITS[name])
    try:
        for chunk in chunks:
            rest, is_full = chunk, False
            while rest or is_full:
                piece = engine.decompress(rest, STEP_BYTES)
                yield piece
                # A full step may leave output behind though all input was taken.
                rest, is_full = engine.unconsumed_tail, len(piece) == STEP_BYTES
    except zlib.error as error:
        raise InvalidBody("The compressed body is damaged.") from error
    if not engine.eof or engine.unused_data:
        raise InvalidBody("The compressed body is cut short or followed by other data.")


def folded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces as one gzip stream, flushed often enough to be read as it comes."""
    engine = zlib.compressobj(wbits=WINDOW_BITS["gzip"])
    for piece in pieces:
        packed = engine.compress(piece)
        if packed:
            yield packed
    yield engine.flush()
