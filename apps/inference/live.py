"""A reply that is released while the model writes it (docs/adr/0013).

The gates stand between: what the model writes goes into ``screened`` and only what
comes out as released text leaves. Whatever happens, ``answer`` tells how it ended, for
closing, from the pass over the whole text.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace

from apps.core.errors import PlatformError
from apps.inference.asking import text_request, used
from apps.inference.contracts import Answer, Outcome
from apps.inference.errors import DeadlineExceeded
from apps.inference.gateway import Path
from apps.inference.release import released_piece, streamed_reply
from apps.models_registry.contracts import GenerationEnd
from apps.safety.streaming import Ending, StopReason, screened


class LiveReply:
    """One reply on its way out; for a path that admitted its input.

    Take ``pieces`` as far as you like, then ``answer``. ``rest`` is text that may leave
    once the answer is recorded: what was released after the model had finished.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream = path.guard.stream(path.request, path.watch.remaining_ms())
        self._chunks = self._written()
        self._end = GenerationEnd()
        self._text: list[str] = []
        self._is_written = False
        self._problem: PlatformError | None = None
        self._ending: Ending | None = None
        self.released_chars = 0
        self.rest = ""

    def _written(self) -> Generator[str]:
        """What the model writes; closing it stops the model."""
        path = self._path
        found, routed = path.admitted
        left_ms = path.watch.remaining_ms()
        asked = text_request(path.request, found.text, path.guard, left_ms)
        with closing(path.parts.generate(routed.version, asked)) as source:
            for piece in source:
                if isinstance(piece, GenerationEnd):
                    self._end = piece
                else:
                    self._text.append(piece)
                    yield piece
        self._is_written = True

    def pieces(self) -> Iterator[str]:
        """Checked text that may leave at once, while the model is still writing."""
        try:
            for event in screened(self._chunks, self._stream):
                if isinstance(event, Ending):
                    self._ending = event
                text = released_piece(self._path.guard, event)
                if self._is_written:
                    self.rest += text
                elif text:
                    self.released_chars += len(text)
                    yield text
        except PlatformError as error:
            self._problem = error

    def answer(self) -> Answer:
        """How the reply ended; nothing more is written or released."""
        self.halt()
        ending = self._ending or self._closed()
        text = "".join(self._text)[: self._stream.position + ending.held_chars]
        output = self._path.guard.concluded(ending, text)
        released = streamed_reply(self._path.guard, output, ending)
        answer = self._path.concluded(output, released)
        problem = self._problem or _lateness(ending)
        if problem is not None and answer.outcome is not Outcome.ESCALATE:
            answer = replace(self._path.failed(problem), output=output)
        usage = used(self._path.request, len(text), self._end)
        usage["released_chars"] = self.released_chars
        return self._path.completed(
            replace(answer, usage=usage, finish=self._end.finish)
        )

    def halt(self) -> None:
        """Stop the model, if it is still writing."""
        self._chunks.close()

    def _closed(self) -> Ending:
        """The pass over what has come, when the stream did not end by itself."""
        *_, ending = self._stream.close()
        if not isinstance(ending, Ending):
            raise TypeError("a stream ends with its Ending")
        return ending


def _lateness(ending: Ending) -> DeadlineExceeded | None:
    if ending.stop is None or ending.stop.reason is not StopReason.DEADLINE:
        return None
    return DeadlineExceeded("The model was still writing at its deadline.")


def is_live(path: Path) -> bool:
    """Whether the admitted version gives text before all of it is written."""
    _, routed = path.admitted
    return path.parts.streams(routed.version)
