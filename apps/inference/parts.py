"""The real parts of the gateway: policy, gates, registry, pool, escalations.

Composition only. What a version is and who approved it is remembered for a moment
(remembering.py); a policy that cannot be read is replaced by the shipped one,
under which crisis is still seen and nothing of a model can leave.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone

from apps.accounts.contracts import KeyFacts
from apps.accounts.permissions import system_actor
from apps.approvals.errors import NotApproved
from apps.approvals.selectors import approved_request
from apps.core.errors import PlatformError
from apps.core.keys.subjects import subject_name
from apps.inference.contracts import (
    FixedReply,
    FixedText,
    Guard,
    Inspected,
    OpenedEscalation,
    Routed,
    RouteQuestion,
    ServingRequest,
)
from apps.inference.disclosing import is_disclosure_due
from apps.inference.errors import NotRecorded, UnknownModel
from apps.inference.guard import PolicyGuard
from apps.inference.remembering import Remembered
from apps.inference.routing import current_router
from apps.inference.slots import generation_slot
from apps.models_registry.contracts import (
    GenerationEnd,
    Prediction,
    ServableVersion,
    TextRequest,
)
from apps.models_registry.families import adapter_class
from apps.models_registry.selectors import SUBJECT_LABEL, as_servable, version_by_id
from apps.models_registry.serving import loaded
from apps.safety.assembly import runner_for
from apps.safety.assembly import warm as warm_gates
from apps.safety.cases import CaseFacts, text_digest
from apps.safety.contracts import Decision
from apps.safety.languages.answering import answer_locale
from apps.safety.policy import Policy, default_policy
from apps.safety.selectors import policy_in_force
from apps.safety.services import open_case
from apps.safety.spool import keep_case

logger = logging.getLogger(__name__)

GUARDS_KEPT = 8
_guards: dict[tuple[str, int, str, bool], PolicyGuard] = {}
_versions: Remembered[tuple[ServableVersion, str]] = Remembered()


class PlatformParts:
    """Parts for one caller, as the gateway asks for them."""

    def __init__(self, caller: KeyFacts) -> None:
        self._caller = caller

    def guard(self) -> Guard:
        """Raises GatesUnavailable when the gates cannot be built."""
        policy, is_in_force = policy_or_shipped(self._caller.jurisdiction)
        return ready_guard(policy, is_in_force)

    def route(self, question: RouteQuestion) -> Routed:
        """Raises UnknownModel for a model that the caller's tier leaves out."""
        if not self._caller.tier.allows_model(question.model_name):
            raise UnknownModel(
                "There is no such model. GET /api/v1/models lists yours."
            )
        route = current_router().route(question)
        version, approval_id = version_and_approval(route.version_id)
        return Routed(version, route.reason, approval_id, route.shadow_version_ids)

    def predict(
        self, version: ServableVersion, asked: TextRequest, deadline_ms: float
    ) -> Prediction:
        """The adapter gives up at the deadline; the gateway drops a late reply."""
        timed = replace(asked, deadline_ms=deadline_ms)
        with self._slot(version), loaded(version) as adapter:
            return adapter.predict([timed])[0]

    def _slot(self, version: ServableVersion) -> AbstractContextManager[None]:
        """A slot for a model that takes its time to write; others need none."""
        if self.streams(version):
            return generation_slot(self._caller.family_id)
        return nullcontext()

    def streams(self, version: ServableVersion) -> bool:
        return adapter_class(version.adapter).streams

    def generate(
        self, version: ServableVersion, asked: TextRequest
    ) -> Generator[str | GenerationEnd]:
        """The version stays loaded until the reply is written or closed."""
        with self._slot(version), loaded(version) as adapter:
            yield from adapter.stream(asked)

    def fixed(self, kind: FixedText, locale: str) -> FixedReply:
        return fixed_text(kind, locale, self._caller.jurisdiction)

    def answer_locale(self, request: ServingRequest) -> str:
        policy, _ = policy_or_shipped(self._caller.jurisdiction)
        return answer_locale(request.locale, request.text, policy.locales)

    def escalate(self, request: ServingRequest, found: Inspected) -> OpenedEscalation:
        """The committed case. Repeated for one request it is the same case.

        A case that the database does not take is kept on this machine's disk, sealed,
        and opened as soon as it does; the error is raised all the same.
        """
        facts = _case_of(request, found, self._caller)
        try:
            row = open_case(actor=system_actor("inference"), facts=facts)
        except (PlatformError, DatabaseError):
            _keep(facts)
            raise
        return OpenedEscalation(str(row.pk), str(row.level))

    def notice(self, request: ServingRequest) -> str:
        """The disclosure of the policy's rules, when it is due."""
        policy, _ = policy_or_shipped(self._caller.jurisdiction)
        every_minutes = policy.rules.disclose_every_minutes
        if every_minutes is None:
            return ""
        family_id = self._caller.family_id
        if is_disclosure_due(request, family_id, every_minutes):
            return policy.disclosure_text(request.locale)
        return ""


class UnclaimedParts(PlatformParts):
    """For a request whose Idempotency-Key could not be claimed for want of a database.

    The gates still look at the text, so that a crisis is answered as one; nothing is
    asked of a model, since the same request may run again.
    """

    def route(self, question: RouteQuestion) -> Routed:
        raise NotRecorded("The request could not be recorded. Send it again.")


def _case_of(request: ServingRequest, found: Inspected, caller: KeyFacts) -> CaseFacts:
    policy, _ = policy_or_shipped(caller.jurisdiction)
    participant = request.participant_ref
    return CaseFacts(
        correlation_id=request.id,
        level=found.risk,
        locale=request.locale,
        reasons=_reasons(found),
        digest=text_digest(request.text),
        policy_digest=policy.digest,
        minutes=policy.minutes_to_acknowledge(found.risk),
        happened_at=timezone.now(),
        text=request.text if settings.PE_ESCALATION_TEXT_DAYS else "",
        subject=subject_name(
            caller.family_id, text_digest(participant) if participant else ""
        ),
    )


def _keep(facts: CaseFacts) -> None:
    """Spool a case; when the disk fails too, the log is the last place that tells."""
    try:
        keep_case(facts)
    except OSError as error:
        logger.critical(
            "A case could be written nowhere",
            extra={"subject_id": str(facts.correlation_id)},
            exc_info=error,
        )


def _reasons(found: Inspected) -> tuple[str, ...]:
    """The codes of the gates that escalated, and of the rules that spoke."""
    escalating = [v for v in found.verdicts if v.decision is Decision.ESCALATE]
    reasons = [reason for verdict in escalating for reason in verdict.reasons]
    return (*reasons, *found.rules)


def policy_or_shipped(jurisdiction: str = "") -> tuple[Policy, bool]:
    """The policy in force and True, or the shipped one and False.

    A jurisdiction without a policy in force has none: the default one does not stand
    in for it, since it may lack what the law there asks.
    """
    try:
        return policy_in_force(jurisdiction or None), True
    except (PlatformError, DatabaseError) as error:
        reason = getattr(error, "code", "database_error")
        logger.error("No policy in force can be read", extra={"code": reason})
        return default_policy(), False


def fixed_text(kind: FixedText, locale: str, jurisdiction: str = "") -> FixedReply:
    """An approved text and the contacts of a locale; needs no database to be there."""
    policy, _ = policy_or_shipped(jurisdiction)
    if kind is FixedText.LICENSED:
        return FixedReply(policy.licensed_text(locale), policy.contacts(locale))
    texts = policy.texts(locale)
    if kind is FixedText.LANGUAGE:
        return FixedReply(texts.language or texts.crisis, policy.contacts(locale))
    return FixedReply(getattr(texts, kind.value), policy.contacts(locale))


def ready_guard(policy: Policy, is_in_force: bool) -> Guard:
    """The gates under a policy, loaded and tried once in this process."""
    key = (policy.name, policy.version, policy.digest, is_in_force)
    guard = _guards.get(key)
    if guard is None:
        # Not inside the gates' deadlines: loading is slow, and a gate that is late
        # answers with its failure decision.
        warm_gates()
        guard = PolicyGuard(runner_for(policy), is_in_force=is_in_force)
        if len(_guards) >= GUARDS_KEPT:
            _guards.clear()
        _guards[key] = guard
    return guard


def version_and_approval(version_id: str) -> tuple[ServableVersion, str]:
    """A version and the approval that covers it, empty when none does; remembered."""
    return _versions.get(version_id, lambda: _read_version(version_id))


def _read_version(version_id: str) -> tuple[ServableVersion, str]:
    version = as_servable(version_by_id(version_id))
    try:
        approval = approved_request(SUBJECT_LABEL, version.id, version.digest)
    except NotApproved:
        return version, ""
    return version, str(approval.pk)
