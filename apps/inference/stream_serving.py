"""Streams: say durably that one opens, release checked pieces, close it, send the end.

As long as nothing has left, a stream is an answer like any other (serving.py), and a
failure has its own status. The last piece, the end and the usage are sent when the
record is durable. A caller that goes away stops the model; the record is closed all the
same.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Protocol

from django.db import Error as DatabaseError
from django.utils import timezone

from apps.accounts.contracts import KeyFacts
from apps.core.context import current_request_id, request_context
from apps.core.errors import PlatformError, Unavailable
from apps.inference.contracts import Answer, Parts, ServingRequest
from apps.inference.gateway import Path, unavailable_answer
from apps.inference.idempotency import Claim, held
from apps.inference.live import LiveReply, is_live
from apps.inference.services import Opening, Outgoing, open_stream
from apps.inference.serving import Closing, Render, not_recorded, refused

logger = logging.getLogger(__name__)


class StreamRender(Protocol):
    """One protocol's bytes for a stream, in this order: opening, pieces, ending."""

    def opening(self, notice: str) -> bytes:
        """What comes before the model's first words; ``notice`` is told here."""
        ...

    def piece(self, text: str) -> bytes: ...

    def ending(self, answer: Answer, rest: str) -> bytes:
        """The fixed text of an answer that has one, else ``rest``; then the end."""
        ...

    def whole(self, answer: Answer) -> bytes:
        """An answer of which nothing has left: a stream of it, or a problem."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to stream, who makes it, and how it is to be told."""

    caller: KeyFacts
    request: ServingRequest
    parts: Parts
    render: StreamRender
    claim: Claim | None = None


def serve_stream(asked: Asked) -> Outgoing | Iterator[bytes]:
    """Everything at once when it is known before anything left, else the bytes.

    Close the iterator when the caller goes away.
    """
    with ExitStack() as stack:
        stack.enter_context(held(asked.claim))
        path = Path(asked.request, str(asked.caller.family_id), asked.parts)
        closing = Closing(asked.caller, asked.parts, asked.render.whole, asked.claim)
        answer = path.admit()
        if answer is None and not is_live(path):
            answer = path.reply()
        if answer is not None:
            return closing.deliver(path.completed(answer))
        live = LiveReply(path)
        # Whatever happens, no model writes on for a stream that is over.
        stack.callback(live.halt)
        stream = _Stream(asked, path, live)
        problem = stream.begin()
        if problem is not None or stream.first is None:
            return closing.deliver(problem or live.answer())
        # The claim is held on until the stream has ended.
        return StartedStream(stream.leaving(stack.pop_all()), current_request_id())
    raise AssertionError("held() swallows no error")


class _Stream:
    """A stream that may begin to leave."""

    def __init__(self, asked: Asked, path: Path, live: LiveReply) -> None:
        self._asked = asked
        self._path = path
        self._live = live
        self._pieces = live.pieces()
        self._opening: Opening | None = None
        self._sent: list[bytes] = []
        self.first: str | None = None

    def begin(self) -> Answer | None:
        """Wait for the first piece and record that it leaves; an answer if it may not.

        Without a first piece the reply has ended, and nothing was recorded.
        """
        self.first = next(self._pieces, None)
        if self.first is None:
            return None
        _, routed = self._path.admitted
        policy = self._path.guard.policy
        self._opening = Opening(
            request=self._asked.request,
            version_digest=routed.version.digest,
            policy_digest=policy.digest if policy else "",
            at=timezone.now(),
        )
        try:
            open_stream(caller=self._asked.caller, opening=self._opening)
        except PlatformError as error:
            return refused(self._live.answer(), self._asked.parts, error)
        except DatabaseError as error:
            logger.critical("Opening transaction failed", exc_info=error)
            return not_recorded(self._live.answer(), self._asked.parts)
        return None

    def leaving(self, holding: ExitStack) -> Generator[bytes]:
        """The bytes; ``holding`` is left when they have ended or the caller is gone."""
        with holding:
            try:
                yield self._kept(self._asked.render.opening(self._path.notice))
                yield self._kept(self._asked.render.piece(self.first or ""))
                for text in self._pieces:
                    yield self._kept(self._asked.render.piece(text))
                last = self._closed()
            except GeneratorExit:
                self._abandoned()
                raise
            except Exception as error:  # the outermost entry point; logged
                logger.error("Unforeseen failure in a stream", exc_info=error)
                last = self._broken()
            yield last

    def _kept(self, content: bytes) -> bytes:
        self._sent.append(content)
        return content

    def _closed(self) -> bytes:
        """The end of the stream, once all of it is recorded."""
        answer = self._live.answer()
        before = b"".join(self._sent)

        def render(closed: Answer) -> bytes:
            return before + self._asked.render.ending(closed, self._live.rest)

        outgoing = self._closing(render, self._asked.claim).deliver(answer)
        return outgoing.body[len(before) :]

    def _broken(self) -> bytes:
        """A failure nobody foresaw: nothing more of the model, and where help is."""
        self._live.halt()
        problem = Unavailable("Something failed here. Try again later.")
        answer = unavailable_answer(self._asked.request, self._asked.parts, problem)
        return self._asked.render.ending(answer, "")

    def _abandoned(self) -> None:
        """The caller is gone: the model is stopped, what has left is recorded."""
        answer = self._live.answer()
        answer = replace(answer, usage={**answer.usage, "disconnected": 1})
        try:
            self._closing(lambda _: b"", None).deliver(answer)
        except (PlatformError, DatabaseError) as error:
            logger.critical(
                "Abandoned stream not recorded",
                extra={"subject_id": str(self._asked.request.id)},
                exc_info=error,
            )

    def _closing(self, render: Render, claim: Claim | None) -> Closing:
        return Closing(
            self._asked.caller, self._asked.parts, render, claim, self._opening
        )


class StartedStream(Iterator[bytes]):
    """The bytes of a stream, made under the request id of the request they answer.

    The server asks for them when the request's own context is gone. The first are made
    at once: a generator that never began could not tidy up when it is closed.
    """

    def __init__(self, inner: Generator[bytes], request_id: str) -> None:
        self._inner = inner
        self._request_id = request_id
        self._first = next(inner)

    def __next__(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        with request_context(self._request_id):
            return next(self._inner)

    def close(self) -> None:
        with request_context(self._request_id):
            self._inner.close()
