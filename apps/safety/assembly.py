"""Builds the gates that the settings name, once in each process.

The only place where a gate meets its classifier. Building takes a few seconds, so
servers call ``warm`` at start; a failure here is raised, never worked around, because a
platform without its gates must not answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.core.plugins import load_family
from apps.safety.contracts import Inspection, Stage
from apps.safety.errors import GatesUnavailable
from apps.safety.gates.base import BaseGate, GateKit
from apps.safety.gates.identifiers import gazetteer
from apps.safety.gates.identifiers.second_opinion import second_opinion
from apps.safety.judges.panel import JudgedRunner
from apps.safety.judges.seating import background, seats
from apps.safety.pipeline import GateRunner
from apps.safety.policy import GATE_ORDER, Policy, default_policy
from apps.safety.services.disagreements import queue_disagreements


def gate_classes() -> dict[str, type[BaseGate]]:
    """The configured gate classes by name; GatesUnavailable unless they are the six."""
    try:
        # mypy: the family's base is abstract; its members are not built here.
        classes = load_family(settings.PE_GATES, BaseGate)  # type: ignore[type-abstract]
    except ImproperlyConfigured as error:
        raise GatesUnavailable(f"PE_GATES: {error}") from error
    if tuple(classes) != GATE_ORDER:
        raise GatesUnavailable(
            f"PE_GATES must name {', '.join(GATE_ORDER)} in this order; "
            f"found {', '.join(classes)}"
        )
    return classes


@cache
def gate_kit(*, thorough: bool = False) -> GateKit:
    """What gates are built from: the shipped models and Presidio's patterns.

    ``thorough`` lets the encoder read every text: for archives, where no one waits.
    """
    from apps.safety.runtime.cascade import shipped_scorer
    from apps.safety.runtime.tagger import Tagger

    return GateKit(shipped_scorer(always=thorough), second_opinion(), Tagger.load())


def head_scores(text: str) -> Mapping[str, float]:
    """The classifier's probabilities by head, which the gates draw on."""
    return gate_kit().scorer.score(text)


@cache
def gates(*, thorough: bool = False) -> tuple[BaseGate, ...]:
    """The six gates of this process."""
    kit = gate_kit(thorough=thorough)
    return tuple(gate(kit) for gate in gate_classes().values())


def runner_for(policy: Policy, *, thorough: bool = False) -> GateRunner:
    """The process's gates under a policy, with the policy's judges beside them."""
    six = gates(thorough=thorough)
    if not policy.judges:
        return GateRunner(six, policy)
    return JudgedRunner(
        six,
        policy,
        seats(policy),
        sink=queue_disagreements,
        background=background(),
    )


def warm() -> None:
    """Load everything and run one text through, so that no request pays for it."""
    gazetteer.warm()
    runner = runner_for(default_policy())
    for stage in Stage:
        runner.run(
            Inspection("Hello, my name is Ada, call 212-555-0100 on 3 May.", stage)
        )
