"""The gates as evaluators ask them: the same runner that inference uses.

A verdict that came too late says how busy this machine was, not how good the gates are:
such a text is read again, and counts as it fell out only when it stays late.
"""

from __future__ import annotations

from django.conf import settings

from apps.experiments.contracts import GatedReading
from apps.safety.assembly import runner_for, warm
from apps.safety.contracts import Decision, Inspection, Stage
from apps.safety.errors import PolicyMissing
from apps.safety.pipeline import LATE, GateRunner, StageResult
from apps.safety.policy import Policy, default_policy
from apps.safety.selectors import policy_in_force

READINGS = 3


class PolicyGates:
    """A ``GatedPath`` over the process's gates."""

    def __init__(self, policy: Policy, runner: GateRunner) -> None:
        self._policy = policy
        self._runner = runner

    @property
    def policy_label(self) -> str:
        return (
            f"policy {self._policy.name}@{self._policy.version} {self._policy.digest}"
        )

    def read_message(self, text: str) -> GatedReading:
        return self._read(text, Stage.INPUT)

    def read_reply(self, text: str) -> GatedReading:
        return self._read(text, Stage.OUTPUT)

    def _read(self, text: str, stage: Stage) -> GatedReading:
        result = self._runner.run(Inspection(text, stage))
        for _ in range(READINGS - 1):
            if not _is_late(result):
                break
            result = self._runner.run(Inspection(text, stage))
        return GatedReading(
            passes=result.decision <= Decision.MASK, escalates=result.escalates
        )


def _is_late(result: StageResult) -> bool:
    return any(
        reason.endswith(f".{LATE}")
        for verdict in result.verdicts
        for reason in verdict.reasons
    )


def gated_path() -> PolicyGates:
    """Under the policy in force, or the shipped one before any was approved.

    The report names which; the shipped one serves nobody until it is approved.
    """
    try:
        policy = policy_in_force(settings.PE_DEFAULT_POLICY)
    except PolicyMissing:
        policy = default_policy()
    warm()
    return PolicyGates(policy, runner_for(policy))
