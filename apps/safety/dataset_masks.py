"""The privacy gate as the mask of dataset rows: names and addresses as well as numbers.

The datasets app lies below and knows this only by a line in settings
(``PE_DATASET_MASKS``).
"""

from __future__ import annotations

from functools import cached_property

from apps.datasets.masking import PatternMasks, TextMasks
from apps.safety.assembly import gates, runner_for
from apps.safety.contracts import Inspection, Stage
from apps.safety.gates.base import BaseGate
from apps.safety.masking import WITHHELD, mask
from apps.safety.pipeline import GateRunner
from apps.safety.policy import default_policy

# A gate that was late once may have met a busy moment.
TRIES = 2


class PrivacyGateMasks(TextMasks):
    """What the privacy gate finds under the shipped policy, then the patterns.

    A text that the gate fails on is withheld whole: a missing answer is never a yes.
    """

    name = "privacy-gate"

    @cached_property
    def _runner(self) -> GateRunner:
        return runner_for(default_policy())

    @cached_property
    def _gate(self) -> BaseGate:
        return next(gate for gate in gates() if gate.name == "privacy")

    def masked(self, text: str) -> str:
        for _ in range(TRIES):
            verdict = self._runner.ask(self._gate, Inspection(text, Stage.INPUT))
            if not verdict.failed:
                return PatternMasks().masked(mask(text, verdict.spans))
        return WITHHELD
