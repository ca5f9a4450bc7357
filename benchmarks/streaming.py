"""What checking a reply while it is generated costs: JSON on standard output, one core.

Replies are put together from this file's own sentences and come in as tokens of about
four characters. ``delay_ms`` is the time from the chunk that completes a step to its
release or stop, and from the last chunk to the end: the wait for the gates.
``behind_chars`` is how much text had come in past the end of a piece when the piece was
released: the wait for the model, beside that for the end of the sentence.
``cpu_ratio`` is CPU of the whole stream
(its final pass included) over CPU of one pass over the whole text. ``early_stops``
counts replies that a stream stopped and the whole-text pass lets through;
``stop_reasons`` counts why streams stopped.
Usage: python benchmarks/streaming.py [--rounds N].
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pe_platform.settings.test")

import django

django.setup()

from apps.safety.assembly import runner_for, warm  # noqa: E402
from apps.safety.contracts import Decision, Inspection, Stage  # noqa: E402
from apps.safety.pipeline import GateRunner  # noqa: E402
from apps.safety.policy import default_policy  # noqa: E402
from apps.safety.streaming import (  # noqa: E402
    Ending,
    Frame,
    Limits,
    OutputStream,
)

SIZES = (5, 20, 80)
TOKEN_CHARS = 4
ASKED = "This week has been a lot and I do not sleep well."
SENTENCES = (
    "It sounds like this week asked a lot of you.",
    "Thank you for telling me about it, that is not easy.",
    "Would you like to tell me more about what happened then?",
    "Many people find that nights are the hardest part.",
    "You mentioned that your sister Maria has been there for you.",
    "A short walk before bed can help the body to settle down.",
    "If it gets heavier, you can call or text 988 at any time.",
    "I am an assistant and not a clinician, so please ask your doctor about this.",
    "We could look at one small thing that was good today:",
    "- a moment outside,\n- a call with somebody you like,\n- a warm meal.\n",
    "It makes sense that you feel worn out!",
    "What would make the evening a little lighter?",
    "You could write to help@example.org about the form.",
    "Be kind to yourself, and take it slowly.",
)


def reply(sentences: int, seed: int) -> str:
    chance = random.Random(seed)
    return " ".join(chance.choice(SENTENCES) for _ in range(sentences))


def summary(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100)
    return {
        name: round(cuts[at], 2) for name, at in (("p50", 49), ("p95", 94), ("p99", 98))
    }


class Figures:
    """What is gathered over the replies of one size."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self.behind: list[float] = []
        self.ratios: list[float] = []
        self.stops = self.early_stops = 0
        self.stop_reasons: Counter[str] = Counter()

    def add(self, runner: GateRunner, text: str) -> None:
        before = time.process_time()
        whole = runner.run(Inspection(text, Stage.OUTPUT, context=(ASKED,)))
        once = time.process_time() - before
        before = time.process_time()
        ending = self._stream(runner, text)
        self.ratios.append((time.process_time() - before) / once)
        if ending.stop is not None:
            self.stops += 1
            self.stop_reasons[ending.stop.reason.value] += 1
            self.early_stops += whole.decision in (Decision.ALLOW, Decision.MASK)

    def _stream(self, runner: GateRunner, text: str) -> Ending:
        stream = OutputStream(runner, Frame(context=(ASKED,)), Limits())
        came = 0
        for at in range(0, len(text), TOKEN_CHARS):
            came = min(len(text), at + TOKEN_CHARS)
            started = time.perf_counter()
            pieces = stream.feed(text[at:came])
            took = (time.perf_counter() - started) * 1000
            if pieces or stream.stop is not None:
                self.delays.append(took)
            for _piece in pieces:
                self.behind.append(came - stream.position)
            if stream.stop is not None:
                break
        started = time.perf_counter()
        ending = stream.close()[-1]
        self.delays.append((time.perf_counter() - started) * 1000)
        assert isinstance(ending, Ending)
        return ending

    def report(self, sentences: int, rounds: int) -> dict[str, object]:
        return {
            "sentences": sentences,
            "replies": rounds,
            "delay_ms": summary(self.delays),
            "behind_chars": summary(self.behind),
            "cpu_ratio": summary(self.ratios),
            "stops": self.stops,
            "early_stops": self.early_stops,
            "stop_reasons": dict(self.stop_reasons),
        }


def shipped_runner() -> GateRunner:
    """The six gates as a server assembles them, under the shipped policy."""
    warm()
    return runner_for(default_policy())


def measure(runner: GateRunner, sentences: int, rounds: int) -> dict[str, object]:
    """One length of reply, a different one each time."""
    figures = Figures()
    for seed in range(rounds):
        figures.add(runner, reply(sentences, 1000 * sentences + seed))
    return figures.report(sentences, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    runner = shipped_runner()
    measure(runner, 5, 5)
    report = {
        "benchmark": "streaming",
        "python": platform.python_version(),
        "cores": 1,
        "token_chars": TOKEN_CHARS,
        "sizes": [measure(runner, size, rounds) for size in SIZES],
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
