"""The one path from a participant's text to a reply (ARCHITECTURE section 4.1).

``decide`` inspects the input before it asks anything else, so that no unknown model,
missing policy or broken version can keep the crisis gate from seeing the text. It
returns an Answer for every request; it writes nothing but an escalation. Whoever
delivers must close the answer first (services.close_request) and deliver only what is
in ``Answer.reply``. It must never hold a model's words outside ``_reply_of``.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from django.db import Error as DatabaseError

from apps.core.errors import PlatformError
from apps.inference.contracts import (
    Answer,
    FixedText,
    Guard,
    Inspected,
    OpenedEscalation,
    Outcome,
    Parts,
    Reply,
    Routed,
    RouteQuestion,
    ServingRequest,
    Source,
)
from apps.inference.errors import (
    DeadlineExceeded,
    NoPolicyInForce,
    NotRecorded,
    VersionNotApproved,
)
from apps.inference.release import is_complete, released_reply
from apps.inference.stopwatch import Stopwatch
from apps.models_registry.contracts import Prediction, TextRequest
from apps.safety.contracts import Decision, Stage
from apps.safety.languages.answering import is_only_language
from apps.safety.rules import LICENSED_ONLY

logger = logging.getLogger(__name__)

APPROVED = "approved"
# Below this status an error is the caller's, or an operator's, to mend.
SERVER_ERROR = 500


def decide(*, request: ServingRequest, caller_id: str, parts: Parts) -> Answer:
    """What may be delivered for this request. Raises only what nobody foresaw.

    An error of routing that is the caller's to mend gives ``REFUSED`` with the error as
    ``problem``; any other error gives ``UNAVAILABLE``. Both carry the fixed text.
    """
    watch = Stopwatch(request.deadline_ms)
    path = _Path(request, caller_id, parts, parts.guard(), watch)
    answer = path.follow()
    reply = replace(answer.reply, notice=parts.notice(request))
    return replace(
        answer, reply=reply, policy=path.guard.policy, timings=watch.timings()
    )


def fixed_reply(parts: Parts, kind: FixedText, locale: str) -> Reply:
    """An approved text with its contacts; no word of it comes from a model."""
    fixed = parts.fixed(kind, locale)
    return Reply(fixed.text, Source.FIXED, contacts=fixed.contacts)


def unavailable_answer(
    request: ServingRequest, parts: Parts, problem: PlatformError
) -> Answer:
    """The fixed *unavailable* text with crisis contacts."""
    is_refusal = problem.status < SERVER_ERROR
    outcome = Outcome.REFUSED if is_refusal else Outcome.UNAVAILABLE
    reply = fixed_reply(parts, FixedText.UNAVAILABLE, request.locale)
    return Answer(request, outcome, reply, problem=problem)


class _Path:
    """One walk along the path; holds what the steps share, for one request."""

    def __init__(
        self,
        request: ServingRequest,
        caller_id: str,
        parts: Parts,
        guard: Guard,
        watch: Stopwatch,
    ) -> None:
        self.request = request
        self.caller_id = caller_id
        self.parts = parts
        self.guard = guard
        self.watch = watch
        self.locale = parts.answer_locale(request)

    def follow(self) -> Answer:
        with self.watch.step("input"):
            found = self.guard.inspect_input(self.request)
        if found.decision is Decision.ESCALATE:
            return replace(self._crisis(found), input=found)
        try:
            routed = self._approved_version()
        except PlatformError as error:
            answer = unavailable_answer(self.request, self.parts, error)
            return replace(answer, input=found)
        answer = self._answer(found, routed)
        return replace(answer, input=found, routed=routed)

    def _approved_version(self) -> Routed:
        if self.guard.policy is None:
            raise NoPolicyInForce("No approved safety policy is in force.")
        with self.watch.step("route"):
            question = RouteQuestion(
                self.request.id,
                self.caller_id,
                self.request.model_name,
                self.request.participant_ref,
            )
            routed = self.parts.route(question)
        if routed.version.state != APPROVED or not routed.approval_id:
            raise VersionNotApproved(
                f"{routed.version.label} is {routed.version.state} and is not approved "
                "as it stands now. Have it approved, or promote another version."
            )
        return routed

    def _answer(self, found: Inspected, routed: Routed) -> Answer:
        may_continue = found.decision in (Decision.ALLOW, Decision.MASK)
        if not may_continue or not is_complete(found):
            return self._blocked(found)
        try:
            reply = self._predict(found, routed)
        except PlatformError as error:
            logger.warning(
                "Prediction failed",
                extra={"version": routed.version.label, "code": error.code},
            )
            unavailable = fixed_reply(self.parts, FixedText.UNAVAILABLE, self.locale)
            return Answer(self.request, Outcome.UNAVAILABLE, unavailable, problem=error)
        return self._reply_of(found, reply)

    def _predict(self, found: Inspected, routed: Routed) -> Prediction:
        """The model's words, or DeadlineExceeded when they come too late."""
        with self.watch.step("predict"):
            context = self.guard.masked_context(self.request)
            reply = self.parts.predict(
                routed.version,
                TextRequest(found.text, context),
                self.watch.remaining_ms(),
            )
        if self.watch.remaining_ms() <= 0:
            raise DeadlineExceeded("The model's reply came after its deadline.")
        return reply

    def _reply_of(self, found: Inspected, reply: Prediction) -> Answer:
        with self.watch.step("output"):
            output = self.guard.inspect_output(self.request, reply.text)
            released = released_reply(self.guard, output, reply, self.request.locale)
        usage = {"input_chars": len(self.request.text), "output_chars": len(reply.text)}
        if output.decision is Decision.ESCALATE:
            return replace(self._crisis(output), output=output, usage=usage)
        if released is None:
            return replace(self._blocked(output), output=output, usage=usage)
        strictest = max(found.decision, output.decision)
        return Answer(
            self.request,
            Outcome(strictest.slug),
            released,
            output=output,
            usage=usage,
        )

    def _blocked(self, found: Inspected) -> Answer:
        replaced = found.decision is Decision.REPLACE
        is_licensed = replaced and LICENSED_ONLY in found.rules
        kind = FixedText.LICENSED if is_licensed else FixedText.BLOCKED
        return Answer(
            self.request,
            Outcome.REPLACE if replaced else Outcome.BLOCK,
            fixed_reply(self.parts, kind, self.locale),
        )

    def _crisis(self, found: Inspected) -> Answer:
        """The fixed crisis reply; the case is committed before this returns.

        Where only the language of the input stood in the way, the reply says that.
        When the case cannot be written the person still gets the reply; the answer
        then carries a problem, and the caller is told to send the request again.
        """
        is_unread = found.stage is Stage.INPUT and is_only_language(
            found.decision, found.verdicts
        )
        kind = FixedText.LANGUAGE if is_unread else FixedText.CRISIS
        reply = fixed_reply(self.parts, kind, self.locale)
        escalation, problem = self._escalate(found)
        return Answer(
            self.request,
            Outcome.ESCALATE,
            reply,
            escalation=escalation,
            problem=problem,
        )

    def _escalate(
        self, found: Inspected
    ) -> tuple[OpenedEscalation | None, PlatformError | None]:
        try:
            with self.watch.step("escalate"):
                return self.parts.escalate(self.request, found), None
        except (PlatformError, DatabaseError) as error:
            logger.critical(
                "Escalation could not be written",
                extra={"subject_id": str(self.request.id)},
                exc_info=error,
            )
            return None, NotRecorded("The crisis case could not be recorded.")
