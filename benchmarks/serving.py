"""Requests a second and CPU per request through the whole gated path.

Starts gunicorn on a state folder of its own (key check, limits, six gates on input and
output, a trained ONNX model, record, quota and audit entry in one durable commit),
sends distinct texts of 20 to 80 words with wrk, and prints JSON. Needs wrk
(``apt-get install wrk``); nothing outside this machine is used.

    python benchmarks/serving.py --seconds 20 --connections 32 --workers 4
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXTS = 20_000
WORDS = (20, 80)
SECRETS = (
    "PE_SECRET_KEY",
    "PE_AUDIT_KEY",
    "PE_CHECKPOINT_KEY",
    "PE_API_KEY_PEPPER",
    "PE_TEXT_DIGEST_KEY",
    "PE_DATA_KEY",
)
LUA = """
local bodies = {}
local at, step = 0, 1
local counter = 0
function setup(thread) thread:set("id", counter); counter = counter + 1 end
function init(args)
  for line in io.lines(args[1]) do bodies[#bodies + 1] = line end
  at = math.floor(#bodies * id / tonumber(args[3]))
  wrk.method = "POST"
  wrk.headers["Authorization"] = "Bearer " .. args[2]
  wrk.headers["Content-Type"] = "application/json"
end
function request()
  at = at % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[at])
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "seconds": %.3f, "p50_ms": %.2f, "p95_ms": %.2f, ' ..
    '"p99_ms": %.2f, "errors": %d, "refused": %d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(95) / 1e3, latency:percentile(99) / 1e3,
    e.connect + e.read + e.write + e.timeout, e.status))
end
"""


@dataclass(frozen=True, slots=True)
class Server:
    process: subprocess.Popen[bytes]
    url: str
    key: str

    def cpu_s(self) -> float:
        """CPU seconds of the master and its workers so far."""
        pids = [self.process.pid, *_children(self.process.pid)]
        return sum(_cpu_s(pid) for pid in pids)

    def rss_mb(self) -> float:
        """Resident memory of the largest worker."""
        return max(_rss_mb(pid) for pid in _children(self.process.pid))


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def environment(folder: Path, options: argparse.Namespace) -> dict[str, str]:
    """An environment of its own; DATABASE_URL and REDIS_URL are passed on."""
    return {
        **os.environ,
        **{name: secrets.token_urlsafe(48) for name in SECRETS},
        "PE_ENVIRONMENT": "local",
        "PE_ENV_FILE": os.devnull,
        "PE_ALLOWED_HOSTS": "127.0.0.1",
        "PE_STATE_DIR": str(folder),
        "PE_BIND": f"127.0.0.1:{options.port}",
        "PE_WEB_WORKERS": str(options.workers),
        "PE_LOG_LEVEL": "ERROR",
        "OMP_NUM_THREADS": "1",
    }


def prepare(env: dict[str, str]) -> tuple[str, str]:
    """Migrate, train and promote a model, issue a key: model name and key."""
    command = [sys.executable, str(ROOT / "benchmarks" / "serving_state.py")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    made = json.loads(done.stdout.splitlines()[-1])
    return made["model"], made["key"]


def start(env: dict[str, str], model: str, key: str) -> Server:
    command = [
        sys.executable, "-m", "gunicorn",
        "-c", str(ROOT / "deploy" / "gunicorn.conf.py"),
    ]  # fmt: skip
    process = subprocess.Popen(command, env=env, cwd=ROOT)
    url = f"http://{env['PE_BIND']}/api/v1/models/{model}/predict"
    return Server(process, url, key)


def wait_until_ready(server: Server, workers: int) -> None:
    """Until every worker has answered: each loads gates and model first."""
    deadline = time.monotonic() + 120
    answered = 0
    while answered < 8 * workers:
        if time.monotonic() > deadline or server.process.poll() is not None:
            raise SystemExit("The server did not become ready.")
        try:
            ask(server, "I slept well and went for a walk with my sister today.")
            answered += 1
        except OSError:
            time.sleep(0.2)


def ask(server: Server, text: str) -> dict[str, object]:
    request = urllib.request.Request(
        server.url,
        data=json.dumps({"input": {"text": text}}).encode(),
        headers={
            "Authorization": f"Bearer {server.key}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def texts(count: int, seed: int = 7) -> list[str]:
    """Distinct messages of 20 to 80 words, from the demo's own sentences."""
    chooser = random.Random(seed)
    lines = (ROOT / "demo" / "support_messages.jsonl").read_text().splitlines()
    messages = [json.loads(line)["text"] for line in lines]
    found: set[str] = set()
    while len(found) < count:
        wanted = chooser.randint(*WORDS)
        words: list[str] = []
        while len(words) < wanted:
            words += chooser.choice(messages).split()
        found.add(" ".join(words[:wanted]))
    return sorted(found, key=lambda text: chooser.random())


def measure(server: Server, folder: Path, options: argparse.Namespace) -> dict:
    bodies = folder / "bodies.jsonl"
    rows = (json.dumps({"input": {"text": text}}) for text in texts(TEXTS))
    bodies.write_text("\n".join(rows) + "\n")
    script = folder / "predict.lua"
    script.write_text(LUA)
    command = [
        "wrk", "--threads", "2", "--connections", str(options.connections),
        "--duration", f"{options.seconds}s", "--timeout", "10s", "--latency",
        "--script", str(script), server.url, "--", str(bodies), server.key, "2",
    ]  # fmt: skip
    before = server.cpu_s()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    spent = server.cpu_s() - before
    line = next(x for x in done.stdout.splitlines() if x.startswith("RESULT "))
    result = json.loads(line.removeprefix("RESULT "))
    result["requests_per_second"] = round(result["requests"] / result["seconds"], 1)
    result["cpu_ms_per_request"] = round(1000 * spent / result["requests"], 3)
    result["worker_rss_mb"] = round(server.rss_mb(), 1)
    return result


def decisions(server: Server, count: int = 200) -> dict[str, float]:
    """Share of each decision over a sample of the texts that were sent."""
    found: dict[str, int] = {}
    for text in texts(count, seed=11):
        decision = str(ask(server, text)["decision"])
        found[decision] = found.get(decision, 0) + 1
    return {name: round(n / count, 3) for name, n in sorted(found.items())}


def run(options: argparse.Namespace) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="pe-bench-") as name:
        folder = Path(name)
        env = environment(folder, options)
        model, key = prepare(env)
        server = start(env, model, key)
        try:
            wait_until_ready(server, options.workers)
            result = measure(server, folder, options)
            result["decisions"] = decisions(server)
        finally:
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(timeout=60)
    database = "PostgreSQL" if "DATABASE_URL" in os.environ else "SQLite"
    return {
        "benchmark": "serving",
        "database": database,
        "limiter": "Redis" if "REDIS_URL" in os.environ else "file",
        "workers": options.workers,
        "connections": options.connections,
        "cores": os.cpu_count(),
        "words": list(WORDS),
        **result,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--port", type=int, default=8765)
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed: apt-get install wrk")
    print(json.dumps(run(options), indent=2))


if __name__ == "__main__":
    main()
