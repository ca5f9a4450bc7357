"""Errors of the inference app. None of their messages quotes a request."""

from __future__ import annotations

from apps.accounts.errors import TooMany
from apps.core.errors import (
    IntegrityFailure,
    InvalidInput,
    NotFound,
    StateConflict,
    Unavailable,
)


class UnknownModel(NotFound):
    """No model of that name, or none that this key may use."""

    code = "unknown_model"
    title = "Unknown model"


class VersionNotApproved(StateConflict):
    """A router named a version that people have not approved."""

    code = "version_not_approved"
    title = "Version not approved"


class NothingServed(Unavailable):
    """The model exists, but no approved version of it is in production."""

    code = "model_not_serving"
    title = "Model not serving"


class NoPolicyInForce(Unavailable):
    """Without an approved safety policy nothing of a model may be delivered."""

    code = "no_policy_in_force"
    title = "No safety policy in force"


class NothingAdmitted(StateConflict):
    """A model would be asked before the gates let the input through; a bug here."""

    code = "nothing_admitted"
    status = 500
    title = "Input not admitted"


class TooManyGenerations(TooMany):
    """The key has as many replies under way as it may."""

    code = "too_many_generations"
    title = "Too many replies at once"


class EveryWorkerBusy(Unavailable):
    """This machine has as many replies under way as it may."""

    code = "busy"
    title = "Busy"


class DeadlineExceeded(Unavailable):
    """The reply came after its deadline and was thrown away."""

    code = "deadline_exceeded"
    title = "Deadline exceeded"


class NotRecorded(Unavailable):
    """The decision could not be made durable, so nothing of it is delivered."""

    code = "not_recorded"
    title = "Decision not recorded"


class TextNotKept(NotFound):
    """There is no text to decide again: it was never kept, or is purged."""

    code = "text_not_kept"
    title = "Text not kept"


class KeptTextUnreadable(IntegrityFailure):
    """The kept text is there, and its key is not; or it is not the record's."""

    code = "kept_text_unreadable"
    title = "Kept text unreadable"


class TextTooLong(InvalidInput):
    """More text than one request may carry."""

    code = "text_too_long"
    status = 413
    title = "Text too long"


class BodyTooLarge(InvalidInput):
    """More bytes than are read before parsing."""

    code = "body_too_large"
    status = 413
    title = "Body too large"


class NotJson(InvalidInput):
    """The body is not declared as JSON."""

    code = "unsupported_media_type"
    status = 415
    title = "Unsupported media type"


class UnknownEncoding(InvalidInput):
    """The body is compressed in a way that is not read here."""

    code = "unsupported_encoding"
    status = 415
    title = "Unsupported encoding"


class InvalidBody(InvalidInput):
    """The body is not JSON, or a field is missing or of the wrong form."""

    code = "invalid_body"
    title = "Invalid body"


class NotJsonLines(InvalidInput):
    """The body is not declared as JSON Lines."""

    code = "unsupported_media_type"
    status = 415
    title = "Unsupported media type"


class BatchTooLarge(InvalidInput):
    """More lines than one batch may have."""

    code = "batch_too_large"
    status = 413
    title = "Batch too large"


class BatchEnded(StateConflict):
    """The batch is finished or cancelled already."""

    code = "batch_ended"
    title = "Batch ended"


class ResultsPurged(NotFound):
    """The results of a batch are past their time."""

    code = "results_purged"
    title = "Results purged"


class ItemLost(StateConflict):
    """Another worker has taken over the line of a batch."""

    code = "item_lost"
    title = "Line taken over"


class InvalidField(InvalidBody):
    status = 422
    code = "invalid_field"
    title = "Invalid field"


class IdempotencyKeyReused(InvalidInput):
    """The same Idempotency-Key came with another body."""

    code = "idempotency_key_reused"
    status = 422
    title = "Idempotency key reused"


class IdempotencyInProgress(StateConflict):
    """The first request with this Idempotency-Key has not ended yet."""

    code = "idempotency_in_progress"
    title = "Request in progress"


class InvalidParameter(InvalidInput):
    """A parameter that this API does not take, or not in this form."""

    code = "invalid_parameter"
    title = "Invalid parameter"

    def __init__(self, message: str, param: str = ""):
        super().__init__(message, extra={"param": param} if param else {})
