"""The one path from a participant's text to a reply (ARCHITECTURE section 4.1).

``decide`` inspects the input before it asks anything else, so that no unknown model,
missing policy or broken version can keep the crisis gate from seeing the text. It
returns an Answer for every request; it writes nothing but an escalation. Whoever
delivers must close the answer first (services.close_request) and deliver only what is
in ``Answer.reply``. It must never hold a model's words outside ``Path.reply``.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import cached_property

from django.db import Error as DatabaseError

from apps.core.errors import PlatformError
from apps.inference.asking import text_request, used
from apps.inference.contracts import (
    Answer,
    FixedText,
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
    NothingAdmitted,
    NotRecorded,
    VersionNotApproved,
)
from apps.inference.release import is_complete, released_reply
from apps.inference.stopwatch import Stopwatch
from apps.models_registry.contracts import Prediction
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
    path = Path(request, caller_id, parts)
    return path.completed(path.follow())


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


class Path:
    """One walk along the path; holds what the steps share, for one request.

    ``admit`` first; then ``reply``, or the steps of a stream (live.py), and last
    ``completed``.
    """

    def __init__(self, request: ServingRequest, caller_id: str, parts: Parts) -> None:
        self.request = request
        self.caller_id = caller_id
        self.parts = parts
        self.watch = Stopwatch(request.deadline_ms)
        self.guard = parts.guard()
        self.locale = parts.answer_locale(request)
        self.found: Inspected | None = None
        self.routed: Routed | None = None

    def follow(self) -> Answer:
        return self.admit() or self.reply()

    def admit(self) -> Answer | None:
        """What is said without a model; None when one may be asked."""
        with self.watch.step("input"):
            found = self.found = self.guard.inspect_input(self.request)
        if found.decision is Decision.ESCALATE:
            return self._crisis(found)
        try:
            self.routed = self._approved_version()
        except PlatformError as error:
            return unavailable_answer(self.request, self.parts, error)
        may_continue = found.decision in (Decision.ALLOW, Decision.MASK)
        if not may_continue or not is_complete(found):
            return self._blocked(found)
        return None

    def completed(self, answer: Answer) -> Answer:
        """The answer with all that the walk has found on its way."""
        return replace(
            answer,
            reply=replace(answer.reply, notice=self.notice),
            input=self.found,
            routed=self.routed,
            policy=self.guard.policy,
            timings=self.watch.timings(),
        )

    @cached_property
    def notice(self) -> str:
        return self.parts.notice(self.request)

    @property
    def admitted(self) -> tuple[Inspected, Routed]:
        """The inspected input and the version; only after ``admit`` gave None."""
        if self.found is None or self.routed is None:
            raise NothingAdmitted("No model may be asked before the input has passed.")
        return self.found, self.routed

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

    def reply(self) -> Answer:
        """The model's whole reply, as far as it may leave."""
        try:
            prediction = self._predict()
        except PlatformError as error:
            return self.failed(error)
        with self.watch.step("output"):
            output = self.guard.inspect_output(self.request, prediction.text)
            released = released_reply(
                self.guard, output, prediction, self.request.locale
            )
        usage = used(self.request, len(prediction.text), prediction.end)
        answer = self.concluded(output, released)
        return replace(answer, usage=usage, finish=prediction.end.finish)

    def _predict(self) -> Prediction:
        """The model's words, or DeadlineExceeded when they come too late."""
        found, routed = self.admitted
        with self.watch.step("predict"):
            left_ms = self.watch.remaining_ms()
            asked = text_request(self.request, found.text, self.guard, left_ms)
            reply = self.parts.predict(routed.version, asked, left_ms)
        if self.watch.remaining_ms() <= 0:
            raise DeadlineExceeded("The model's reply came after its deadline.")
        return reply

    def failed(self, error: PlatformError) -> Answer:
        """The fixed text in place of a reply that the model could not give."""
        _, routed = self.admitted
        logger.warning(
            "Prediction failed",
            extra={"version": routed.version.label, "code": error.code},
        )
        answer = unavailable_answer(self.request, self.parts, error)
        return replace(
            answer, reply=fixed_reply(self.parts, FixedText.UNAVAILABLE, self.locale)
        )

    def concluded(self, output: Inspected, released: Reply | None) -> Answer:
        """What the output's gates decided; ``released`` is what they let out."""
        found, _ = self.admitted
        if output.decision is Decision.ESCALATE:
            answer = self._crisis(output)
        elif released is None:
            answer = self._blocked(output)
        else:
            strictest = max(found.decision, output.decision)
            answer = Answer(self.request, Outcome(strictest.slug), released)
        return replace(answer, output=output)

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
