"""How long the six gates take: JSON on standard output, one core, input and output.

Distinct texts each time, made of calm, risky and identifying sentences, so that no
cache and no early exit flatters the figures. Usage: python benchmarks/gate_latency.py
[--rounds N].
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import random
import resource
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from apps.safety.contracts import Inspection, Stage
from apps.safety.gates.appropriateness import AppropriatenessGate
from apps.safety.gates.base import GateKit
from apps.safety.gates.bias import BiasGate
from apps.safety.gates.crisis import CrisisGate
from apps.safety.gates.identifiers import gazetteer
from apps.safety.gates.identifiers.second_opinion import second_opinion
from apps.safety.gates.privacy import PrivacyGate
from apps.safety.gates.redaction import RedactionGate
from apps.safety.gates.toxicity import ToxicityGate
from apps.safety.pipeline import GateRunner
from apps.safety.policy import default_policy
from apps.safety.runtime.cascade import shipped_scorer
from apps.safety.runtime.tagger import Tagger

WORDS = (20, 50, 200)
SENTENCES = (
    "I went for a walk by the river and it helped a little.",
    "Work has been heavy and this deadline is killing me.",
    "My sister Maria said I should talk to someone about it.",
    "Some nights I feel hopeless and I do not want to be here anymore.",
    "You can reach me at 212-555-0182 after 5 pm on March 3.",
    "They never listen and it makes me so angry that I shout.",
    "It sounds like this week asked a lot of you.",
    "Would you like to tell me more about what happened then?",
    "I keep checking the door and I cannot make myself stop.",
    "My doctor changed the dose and I sleep better now.",
)


def text_of(words: int, seed: int) -> str:
    """A text of so many words, different for every seed."""
    chance = random.Random(seed)
    stream = itertools.chain.from_iterable(
        chance.choice(SENTENCES).split() for _ in itertools.count()
    )
    return f"{seed} " + " ".join(itertools.islice(stream, words - 1))


def summary(values: list[float]) -> dict[str, float]:
    """Milliseconds at the 50th, 95th and 99th percentile."""
    cuts = statistics.quantiles(values, n=100)
    return {name: round(cuts[at], 3) for name, at in _PERCENTILES}


_PERCENTILES = (("p50_ms", 49), ("p95_ms", 94), ("p99_ms", 98))


def measure(runner: GateRunner, words: int, rounds: int) -> dict[str, object]:
    """One size of text: each gate alone, and all six on input and output together."""
    gates: dict[str, list[float]] = {}
    whole: list[float] = []
    for seed in range(rounds):
        person, reply = text_of(words, 2 * seed), text_of(words, 2 * seed + 1)
        started = time.perf_counter()
        first = runner.run(Inspection(person, Stage.INPUT))
        second = runner.run(Inspection(reply, Stage.OUTPUT, context=(person,)))
        whole.append((time.perf_counter() - started) * 1000)
        for result in (first, second):
            for verdict in result.verdicts:
                key = f"{result.stage.value}.{verdict.gate}"
                gates.setdefault(key, []).append(verdict.elapsed_ms)
    return {
        "words": words,
        "input_and_output": summary(whole),
        "gates": {name: summary(values) for name, values in gates.items()},
    }


def runner_with(*, always: bool = False) -> GateRunner:
    """The shipped gates; with ``always`` the encoder reads every text."""
    scorer = shipped_scorer(always=always)
    kit = GateKit(scorer, second_opinion(), Tagger.load())
    classes = (
        CrisisGate, ToxicityGate, PrivacyGate, BiasGate, AppropriatenessGate,
        RedactionGate,
    )  # fmt: skip
    return GateRunner([gate(kit) for gate in classes], default_policy())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=500)
    rounds = parser.parse_args().rounds
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    gazetteer.warm()
    cascade, always = runner_with(), runner_with(always=True)
    measure(cascade, 50, 20)
    report = {
        "benchmark": "gate_latency",
        "python": platform.python_version(),
        "cores": 1,
        "rounds": rounds,
        "sizes": [measure(cascade, words, rounds) for words in WORDS],
        "encoder_always": [measure(always, words, rounds) for words in WORDS],
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
