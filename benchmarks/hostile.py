"""Hostile texts through the six gates on both stages: JSON on standard output.

Every text must get a verdict of every gate inside its deadline (in processor time, so
that a busy machine tells nothing), without an exception, and twice the text must take
about twice the time. Exits 1 when one did not.
``python -m benchmarks.hostile [--count N] [--longest N] [--seed N]``
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from apps.safety.contracts import Gate, Inspection, Stage, Verdict
from apps.safety.gates.identifiers import gazetteer
from apps.safety.languages.identify import identify
from apps.safety.pipeline import FAILED, LATE, UNPARSEABLE, GateRunner
from benchmarks.gate_latency import runner_with
from benchmarks.hostile_texts import TRAPS, hostile_texts

FAULTS = (FAILED, LATE, UNPARSEABLE)
PATIENT_MS = 10.0**9
# Twice the text may take this many times as long, and a little for the clock.
MOST_GROWTH, CLOCK_MS = 2.8, 20.0
GROWN_FROM = 8_000


class ProcessorRunner(GateRunner):
    """Holds each gate to its deadline in processor time, so that a busy machine does
    not look like a slow gate. ``late`` names those that were over it.
    """

    def __init__(self, runner: GateRunner) -> None:
        super().__init__(runner.gates, runner.policy)
        self._deadlines = {gate.name: gate.deadline_ms for gate in runner.gates}
        for gate in runner.gates:
            gate.deadline_ms = PATIENT_MS  # type: ignore[misc]
        self.late: list[str] = []

    def ask(self, gate: Gate, inspection: Inspection) -> Verdict:
        started = time.process_time()
        verdict = super().ask(gate, replace(inspection, deadline_ms=PATIENT_MS))
        elapsed_ms = (time.process_time() - started) * 1000
        pieces = max(1, len(inspection.text) // 3000)
        if elapsed_ms > self._deadlines[gate.name] * pieces:
            self.late.append(gate.name)
        return verdict


def warmed(gates: GateRunner) -> ProcessorRunner:
    """These gates with everything loaded."""
    gazetteer.warm()
    identify("hello there, how are you today")
    runner = ProcessorRunner(gates)
    faults(runner, "Hello, my name is Ada, call 212-555-0100 on 3 May.")
    runner.late.clear()
    return runner


def faults(runner: GateRunner, text: str) -> list[str]:
    """Reason codes of gates that raised, were late or gave no readable verdict."""
    found = []
    for stage in Stage:
        for verdict in runner.run(Inspection(text, stage)).verdicts:
            codes = {reason.partition(".")[2] for reason in verdict.reasons}
            found += [f"{verdict.gate}.{code}" for code in codes & set(FAULTS)]
    return found


def processor_ms(runner: GateRunner, text: str) -> float:
    """Processor time of both stages, the best of three tries.

    A number before the text keeps the gates from remembering it.
    """
    best = float("inf")
    for number in range(3):
        started = time.process_time()
        faults(runner, f"{len(text)}{number} {text}")
        best = min(best, (time.process_time() - started) * 1000)
    return best


def growth(runner: GateRunner, unit: str, size: int = GROWN_FROM) -> float:
    """How many times as long twice as much of a unit takes."""
    once, twice = (
        processor_ms(runner, (unit * count)[:count]) for count in (size, 2 * size)
    )
    return max(0.0, twice - CLOCK_MS) / max(once, 0.1)


def figures(
    runner: ProcessorRunner, texts: Sequence[str], units: Sequence[str]
) -> dict[str, object]:
    found: Counter[str] = Counter()
    times: list[float] = []
    for text in texts:
        started = time.process_time()
        found.update(faults(runner, text))
        times.append((time.process_time() - started) * 1000)
    late = Counter(runner.late)
    grown = {repr(unit): round(growth(runner, unit), 2) for unit in units}
    worst = sorted(grown, key=lambda unit: -grown[unit])[:5]
    cuts = statistics.quantiles(times, n=100)
    return {
        "texts": len(texts),
        "longest": max(map(len, texts)),
        "faults": dict(found),
        "late_by_processor_time": dict(late),
        "processor_ms_both_stages": {
            "p50": round(cuts[49], 2),
            "p99": round(cuts[98], 2),
            "max": round(max(times), 2),
        },
        "units": len(grown),
        "growth_of_twice_the_text": {unit: grown[unit] for unit in worst},
        "too_steep": [unit for unit in worst if grown[unit] > MOST_GROWTH],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--longest", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    texts = list(hostile_texts(chosen.count, chosen.seed, chosen.longest))
    found = figures(warmed(runner_with()), texts, TRAPS)
    print(json.dumps(found, indent=2))
    wrong = ("faults", "late_by_processor_time", "too_steep")
    sys.exit(any(found[name] for name in wrong))


if __name__ == "__main__":
    main()
