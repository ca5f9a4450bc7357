"""The safety policy: drafted by the operator, signed by clinician and compliance."""

from __future__ import annotations

from apps.core.errors import PlatformError
from apps.safety.models import SafetyPolicy
from apps.safety.policy import Policy, default_document
from apps.safety.selectors import policy_in_force
from apps.safety.services import draft_policy, submit_policy
from apps.safety.subjects import SafetyPolicySubject
from pe_platform.demo.cast import CLINICIAN, COMPLIANCE, OPERATOR, POLICY
from pe_platform.demo.people import acting
from pe_platform.demo.signing import sign_pending

State = SafetyPolicy.State


def ensure_policy() -> Policy:
    """The policy in force, drafted and signed if there is none."""
    try:
        return policy_in_force(POLICY)
    except PlatformError:
        pass  # none yet: that is what the rest of this function is for
    actor = acting(OPERATOR)
    found = SafetyPolicy.objects.filter(
        name=POLICY, state__in=[State.DRAFT, State.SUBMITTED]
    ).first()
    draft = found or draft_policy(actor=actor, name=POLICY, document=default_document())
    if draft.state == State.DRAFT:
        submit_policy(actor=actor, policy_id=str(draft.pk), reason="first policy")
    sign_pending(
        SafetyPolicySubject.label,
        str(draft.pk),
        (CLINICIAN, COMPLIANCE),
        "Thresholds, fixed texts and helplines read.",
    )
    return policy_in_force(POLICY)
