"""Looking at running rollouts and taking back what harms, without waiting for anyone.

Beat asks every 15 seconds. Each rollout is looked at in a transaction of its own, so
that one that cannot be judged does not keep the others running.
"""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone

from apps.accounts.permissions import require
from apps.approvals.errors import NotApproved
from apps.approvals.selectors import require_approved
from apps.core.actors import Actor
from apps.core.errors import PlatformError, StateConflict
from apps.experiments.metrics import ROLLBACKS
from apps.experiments.models import Rollout
from apps.experiments.rollouts.plan import CONTROL
from apps.experiments.selectors.rollouts import (
    ROLLOUT_LABEL,
    arm_named,
    findings_of,
    rollout_by_id,
    running_rollouts,
)
from apps.experiments.services.rollout_states import (
    LONGEST_REASON,
    end_rollout,
    require_versions,
)
from apps.inference.selectors import production_version_id

logger = logging.getLogger(__name__)


def watch_rollouts(*, actor: Actor) -> list[str]:
    """Look at every running rollout; the ids of those that were rolled back."""
    require(actor, "experiments.watch_rollout")
    running = [str(pk) for pk in running_rollouts().values_list("pk", flat=True)]
    return [rollout_id for rollout_id in running if _watch(actor, rollout_id)]


def _watch(actor: Actor, rollout_id: str) -> bool:
    try:
        with transaction.atomic():
            reason = _look(actor, rollout_by_id(rollout_id))
    except StateConflict:
        # Someone ended it while this looked at it.
        return False
    if reason:
        ROLLBACKS.inc()
        logger.critical(
            "Rollout rolled back", extra={"rollout": rollout_id, "reason": reason}
        )
    return bool(reason)


def _look(actor: Actor, rollout: Rollout) -> str:
    """Why the rollout was taken back; empty when it goes on."""
    findings = findings_of(rollout)
    reason = _lost_ground(rollout)
    if not reason and findings.breaches:
        reason = f"breach at step {rollout.step}: {', '.join(findings.breaches)}"
    if reason:
        end_rollout(
            actor,
            rollout,
            Rollout.State.ROLLED_BACK,
            reason[:LONGEST_REASON],
            findings.as_dict(),
        )
    else:
        Rollout.objects.filter(pk=rollout.pk).update(watched_at=timezone.now())
    return reason


def _lost_ground(rollout: Rollout) -> str:
    """Why nothing can be compared any more, whatever the numbers say."""
    try:
        require_approved(ROLLOUT_LABEL, str(rollout.pk))
        require_versions(rollout)
    except (NotApproved, StateConflict):
        return "a version or the rollout is not approved any more"
    try:
        served = production_version_id(rollout.model.name)
    except PlatformError:
        return "nothing is in production any more"
    if served != arm_named(rollout, CONTROL).version_id:
        return "production was moved to another version"
    return ""
