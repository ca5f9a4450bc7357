"""A small server that speaks OpenAI's chat completions, and fails when it is told to.

A real one on loopback, in a thread: HTTP/1.1, keep-alive, JSON and server-sent events.
Each call takes the next of the ``Turn``s that were queued, or answers calmly.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import Any

CALM = ("It sounds like ", "a long week. ", "What would help ", "you rest tonight?")


@dataclass
class Turn:
    """What one call gets. ``stall`` waits for ``Server.resume`` before an answer, and
    ``stall_after`` so many chunks into one; ``cut_after`` drops the connection there;
    ``is_endless`` begins again after the last chunk, for as long as somebody reads.
    """

    chunks: tuple[str, ...] = CALM
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    finish: str = "stop"
    body: bytes | None = None
    stall: bool = False
    stall_after: int | None = None
    cut_after: int | None = None
    is_done_sent: bool = True
    is_endless: bool = False


@dataclass
class Seen:
    """One call as it came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    connection: int


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A connection that its other side has dropped is what some tests want."""


class Server:
    """``seen`` holds the calls, ``aborted`` counts those whose reader went away."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.seen: list[Seen] = []
        self.aborted = 0
        self.resume = threading.Event()
        self.was_aborted = threading.Event()
        handler = type("Handler", (_Handler,), {"server_state": self})
        self._http = _Quiet(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.resume.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_state: Server

    def log_message(self, *_: object) -> None:
        """Nothing: what was asked is nobody's business."""

    def do_POST(self) -> None:
        state = self.server_state
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        state.seen.append(Seen(self.path, headers, body, self.client_address[1]))
        turn = state.turns.pop(0) if state.turns else Turn()
        if turn.stall:
            state.resume.wait(10)
        try:
            if turn.status != 200 or turn.body is not None:
                self._whole(turn, turn.body or b'{"error": {"message": "no"}}')
            elif body.get("stream"):
                self._streamed(turn)
            else:
                self._whole(turn, json.dumps(completion("".join(turn.chunks))).encode())
        except OSError:
            state.aborted += 1
            state.was_aborted.set()
            self.close_connection = True

    def _whole(self, turn: Turn, content: bytes) -> None:
        cut = turn.cut_after is not None
        self.send_response(turn.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content) + cut))
        for name, value in turn.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = cut

    def _streamed(self, turn: Turn) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        chunks = cycle(turn.chunks) if turn.is_endless else turn.chunks
        for number, text in enumerate(chunks):
            if number == turn.cut_after:
                self.close_connection = True
                return
            if number == turn.stall_after:
                self.server_state.resume.wait(10)
            self._event(event(delta={"content": text}))
        self._event(event(delta={}, finish=turn.finish))
        self._event({**event(delta={}), "choices": [], "usage": USAGE})
        if turn.is_done_sent:
            self._write(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, content: dict[str, Any]) -> None:
        self._write(b"data: " + json.dumps(content).encode() + b"\n\n")

    def _write(self, content: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
        self.wfile.flush()


USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


def event(delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "choices": [choice]}


def completion(text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "c1", "choices": [choice], "usage": USAGE}


@contextmanager
def running() -> Iterator[Server]:
    server = Server()
    server.start()
    try:
        yield server
    finally:
        server.stop()
