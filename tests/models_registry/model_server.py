"""A small real server of the Open Inference Protocol, in a thread, on loopback.

It scores texts by their length, fails or hangs when told to, and keeps what it was
sent. The adapter was tried against MLServer by hand (docs/adr/0014).
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.models_registry.bundles import LABELS


def scores_of(text: str) -> list[float]:
    weights = [1.0 + len(text) % 7, 2.0 + len(text) % 3, 1.5]
    return [weight / sum(weights) for weight in weights]


class ModelServer:
    """``answers`` holds statuses and bodies to give before answering as it should."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.busy = 0
        self.seen: list[tuple[str, dict[str, str], dict]] = []
        self.answers: list[tuple[int, bytes]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.seen.append((self.path, dict(self.headers), body))
                server.busy += 1
                server.go.wait(30)
                server.busy -= 1
                status, content = server.answer(body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                if status == 302:
                    self.send_header("Location", "http://127.0.0.1:9/elsewhere")
                self.end_headers()
                self.wfile.write(content)

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.host = f"127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def answer(self, body: dict) -> tuple[int, bytes]:
        if self.answers:
            return self.answers.pop(0)
        texts = body["inputs"][0]["data"]
        found = {
            "scores": [share for text in texts for share in scores_of(text)],
            "reply": [f"You wrote {len(text)} letters." for text in texts],
        }
        outputs = [{"name": one["name"], "data": found[one["name"]]}
                   for one in body["outputs"]]  # fmt: skip
        return 200, json.dumps({"outputs": outputs}).encode()

    def endpoint(self, **changes: object) -> bytes:
        document = {
            "url": f"http://{self.host}", "model": "tiny", "input": "text",
            "output_scores": "scores", "labels": list(LABELS), "timeout_ms": 3000,
            **changes,
        }  # fmt: skip
        kept = {name: value for name, value in document.items() if value is not None}
        return json.dumps(kept).encode()

    def close(self) -> None:
        self.go.set()
        self._http.shutdown()
        self._http.server_close()
