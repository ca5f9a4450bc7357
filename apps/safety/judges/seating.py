"""Builds the judges that the settings name and a policy uses, once in each process."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.core.plugins import load_class
from apps.safety.errors import GatesUnavailable
from apps.safety.judges.background import Background
from apps.safety.judges.contracts import Judge
from apps.safety.judges.panel import Seat
from apps.safety.policy import Policy


@cache
def judge_named(name: str) -> Judge:
    """The judge of this process; GatesUnavailable when it cannot be built."""
    # Any: JSON of the settings, checked by the judge.
    options: Mapping[str, Any] = settings.PE_JUDGES.get(name, {})
    try:
        # mypy: the family's base is abstract; its members are built here.
        judge = load_class(str(options.get("class", "")), Judge)  # type: ignore[type-abstract]
        return judge(name, options)
    except (ImproperlyConfigured, ValueError, TypeError) as error:
        raise GatesUnavailable(f"PE_JUDGES {name}: {error}") from error


@cache
def background() -> Background:
    return Background()


def seats(policy: Policy) -> tuple[Seat, ...]:
    """The policy's judges. A policy whose judge is missing serves nothing.

    Raises GatesUnavailable for a judge that is not in the settings, cannot be loaded,
    or cannot speak about a gate that the policy asks it about.
    """
    found = []
    for rule in policy.judges:
        judge = judge_named(rule.judge)
        beyond = set(rule.cuts) - judge.gates
        if beyond:
            raise GatesUnavailable(
                f"Judge {rule.judge} says nothing about {', '.join(sorted(beyond))}."
            )
        found.append(Seat(judge, rule))
    return tuple(found)
