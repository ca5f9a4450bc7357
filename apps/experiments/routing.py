"""The router of the platform: a model's running rollout, else its production alias.

It chooses and does not permit: the gateway refuses an unapproved version all the same.
Whatever is not as the rollout was signed for sends everybody to production.
"""

from __future__ import annotations

from django.conf import settings

from apps.experiments.rollouts.assignment import (
    Layout,
    place_of,
    reason_of,
    unit_of,
)
from apps.experiments.rollouts.plan import CONTROL
from apps.experiments.selectors.rollouts import Traffic, traffic_of
from apps.inference.contracts import Route, RouteQuestion
from apps.inference.remembering import Remembered
from apps.inference.routing import ProductionRouter

_traffic: Remembered[Traffic | None] = Remembered()


class RolloutRouter:
    """Serves the arm of a participant, the same one for as long as the step lasts."""

    def __init__(self) -> None:
        self._production = ProductionRouter()

    def route(self, question: RouteQuestion) -> Route:
        name = question.model_name
        served = self._production.route(question)
        traffic = _traffic.get(name, lambda: traffic_of(name))
        # Someone moved production meanwhile: there is nothing to compare with, and
        # the watcher is about to end the rollout.
        if traffic is None or traffic.control_id != served.version_id:
            return served
        return _rolled_out(question, traffic)


def _rolled_out(question: RouteQuestion, traffic: Traffic) -> Route:
    step = traffic.plan.steps[traffic.step]
    unit = unit_of(
        caller_id=question.caller_id,
        participant_ref=question.participant_ref,
        request_id=question.request_id,
    )
    key = str(settings.PE_TEXT_DIGEST_KEY).encode()
    place = place_of(key=key, salt=traffic.salt, unit=unit)
    arm = Layout(traffic.plan.offsets(), step).arm_at(place)
    is_control = arm == CONTROL
    return Route(
        traffic.control_id if is_control else traffic.versions[arm],
        reason_of(traffic.rollout_id, traffic.step, arm),
        tuple(traffic.versions[name] for name in step.shadow) if is_control else (),
    )
