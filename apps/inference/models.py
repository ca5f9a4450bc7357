"""What is kept of a request: the decision and its evidence, never the words.

``BatchJob`` and ``BatchItem`` hold the lines of a batch, sealed, until each is answered
and for as long as its result may be fetched.

``InferenceRecord`` is written once, in the transaction that closes the request, and
never changed. ``KeptText`` holds the words of one, sealed, for as long as settings say
and never longer; by default there is none. ``IdempotentRequest`` keeps the first
response to a key for a day, sealed, so that a repeated request gets the same answer.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from apps.inference.contracts import Outcome, Source

OUTCOMES = [(outcome.value, outcome.value.capitalize()) for outcome in Outcome]
SOURCES = [(source.value, source.value.capitalize()) for source in Source]
MODEL_OUTCOMES = (Outcome.ALLOW.value, Outcome.MASK.value)


class InferenceRecord(models.Model):
    """One closed request; its id is the correlation id of escalation and audit."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request_id = models.CharField(max_length=64, blank=True, db_index=True)
    created_at = models.DateTimeField(db_index=True)
    api_key_id = models.UUIDField()
    # The line of rotations: what one of its keys asked, the latest may read.
    key_family_id = models.UUIDField()
    api_key_label = models.CharField(max_length=200, blank=True)
    model_name = models.CharField(max_length=80)
    version = models.CharField(max_length=40, blank=True)
    version_digest = models.CharField(max_length=80, blank=True)
    router_reason = models.CharField(max_length=120, blank=True)
    policy_name = models.CharField(max_length=80, blank=True)
    policy_version = models.CharField(max_length=40, blank=True)
    policy_digest = models.CharField(max_length=80, blank=True)
    jurisdiction = models.CharField(
        max_length=60, blank=True, help_text="The key's; it chose the policy."
    )
    rules = models.JSONField(
        default=list, help_text="Codes of the policy's rules that spoke."
    )
    was_disclosed = models.BooleanField(
        default=False, help_text="The reply said that a program is speaking."
    )
    locale = models.CharField(max_length=35)
    text_digest = models.CharField(
        max_length=80, help_text="Keyed: names the text without revealing it."
    )
    participant_digest = models.CharField(max_length=80, blank=True, db_index=True)
    subject = models.CharField(
        max_length=64,
        blank=True,
        db_index=True,
        help_text="Whose key seals the words: program and participant, as a digest.",
    )
    verdicts = models.JSONField(default=dict)
    gate_versions = models.JSONField(default=dict)
    decision = models.CharField(max_length=12, choices=OUTCOMES)
    source = models.CharField(max_length=8, choices=SOURCES)
    problem_code = models.CharField(max_length=60, blank=True)
    escalation_id = models.UUIDField(null=True, blank=True)
    timings = models.JSONField(default=dict)
    usage = models.JSONField(default=dict)

    class Meta:
        ordering = ["-created_at"]
        permissions = [
            ("replay_inferencerecord", "Can decide requests again to compare"),
            ("read_kepttext", "Can see which words of a kept text moved a score"),
        ]
        indexes = [
            models.Index(
                fields=["key_family_id", "-created_at"], name="inference_key_created"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(decision__in=[name for name, _ in OUTCOMES]),
                name="inference_known_decision",
            ),
            models.CheckConstraint(
                condition=~Q(source="model")
                | (
                    Q(decision__in=MODEL_OUTCOMES)
                    & ~Q(version_digest="")
                    & ~Q(policy_digest="")
                ),
                name="inference_model_reply_was_gated",
            ),
            models.CheckConstraint(
                condition=~Q(decision="escalate") | Q(escalation_id__isnull=False),
                name="inference_escalate_has_a_case",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.decision} {self.model_name} {self.id}"


class KeptText(models.Model):
    """The sealed words of one request and its reply, so that it can be replayed.

    Once they are purged the row stays and says when; nothing of the words is left.
    """

    record = models.OneToOneField(
        InferenceRecord,
        primary_key=True,
        on_delete=models.PROTECT,
        related_name="kept_text",
    )
    sealed = models.BinaryField(null=True, help_text="Sealed text, context and reply.")
    expires_at = models.DateTimeField(db_index=True)
    purged_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(sealed__isnull=True, purged_at__isnull=False)
                | Q(sealed__isnull=False, purged_at__isnull=True),
                name="kept_text_is_there_or_purged",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class IdempotentRequest(models.Model):
    """A claim on one Idempotency-Key of one line of keys, and the outcome it ended in.

    ``claim`` is a fencing token: only the request that holds it may store the outcome.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key_family_id = models.UUIDField()
    idempotency_key = models.CharField(max_length=200)
    body_digest = models.CharField(max_length=80)
    claim = models.UUIDField(default=uuid.uuid4)
    claimed_until = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    status_code = models.PositiveSmallIntegerField(null=True)
    response = models.BinaryField(null=True, help_text="Sealed response body.")
    subject = models.CharField(max_length=64, blank=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key_family_id", "idempotency_key"],
                name="idempotent_once_per_key",
            ),
            models.CheckConstraint(
                condition=Q(status_code__isnull=True, response__isnull=True)
                | Q(status_code__isnull=False, response__isnull=False),
                name="idempotent_outcome_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key_family_id} {self.id}"

    @property
    def is_closed(self) -> bool:
        return self.response is not None


class BatchJob(models.Model):
    """Many texts of one line of keys for one model, answered in their own time.

    It is ``receiving`` until its last line is stored: only then was it accepted.
    """

    class State(models.TextChoices):
        RECEIVING = "receiving", "Receiving"
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(
        max_length=12, choices=State.choices, default=State.RECEIVING
    )
    created_at = models.DateTimeField(db_index=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    # When a worker last said that it is at it, or a message was last sent.
    touched_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    api_key_id = models.UUIDField()
    key_family_id = models.UUIDField()
    api_key_label = models.CharField(max_length=200, blank=True)
    model_name = models.CharField(max_length=80)
    idempotency_key = models.CharField(max_length=200, blank=True)
    input_digest = models.CharField(
        max_length=80, blank=True, help_text="Keyed: names the lines, reveals nothing."
    )
    size = models.PositiveIntegerField(default=0)
    tally = models.JSONField(
        null=True,
        blank=True,
        help_text="Lines by state and decision, once their rows are purged.",
    )

    class Meta:
        ordering = ["-created_at"]
        permissions = [
            ("cancel_batchjob", "Can cancel batches"),
            ("run_batchjob", "Can answer batches: the batch workers"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["key_family_id", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="batch_once_per_idempotency_key",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["receiving", "running"], finished_at=None)
                | Q(state__in=["finished", "cancelled"], finished_at__isnull=False),
                name="batch_finished_when_closed",
            ),
            models.CheckConstraint(
                condition=Q(state="receiving") | Q(size__gte=1),
                name="batch_has_lines",
            ),
        ]

    def __str__(self) -> str:
        return f"batch {str(self.pk)[:8]} ({self.state})"


class BatchItem(models.Model):
    """One line of a batch. ``sealed`` holds its words until it is answered, then its
    answer; ``claim`` is a fencing token, held until ``not_before``."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        CLAIMED = "claimed", "Claimed"
        DONE = "done", "Done"
        REFUSED = "refused", "Refused: the line, the key or its quota"
        FAILED = "failed", "Failed: could not be answered"
        CANCELLED = "cancelled", "Cancelled"

    OPEN_STATES = (State.WAITING, State.CLAIMED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(BatchJob, on_delete=models.PROTECT, related_name="items")
    position = models.PositiveIntegerField()
    custom_id = models.CharField(max_length=128, blank=True)
    state = models.CharField(
        max_length=10, choices=State.choices, default=State.WAITING
    )
    sealed = models.BinaryField(null=True)
    # The participant that the line is about, as in the records; their key seals it.
    subject = models.CharField(max_length=64, blank=True, db_index=True)
    claim = models.UUIDField(null=True, db_index=True)
    not_before = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Attempts that were recorded as requests; names the next request.
    recorded = models.PositiveSmallIntegerField(default=0)
    decision = models.CharField(max_length=12, blank=True)
    status_code = models.PositiveSmallIntegerField(null=True)
    problem_code = models.CharField(max_length=60, blank=True)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["job", "position"], name="batch_item_once_per_position"
            ),
            models.CheckConstraint(
                condition=Q(state="claimed", claim__isnull=False)
                | (~Q(state="claimed") & Q(claim__isnull=True)),
                name="batch_item_claim_while_claimed",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["waiting", "claimed"])
                | Q(sealed__isnull=False),
                name="batch_item_open_has_words",
            ),
            models.CheckConstraint(
                condition=~Q(state="done")
                | (Q(sealed__isnull=False) & ~Q(decision="")),
                name="batch_item_done_has_an_answer",
            ),
        ]
        indexes = [
            models.Index(
                fields=["job", "state", "position"], name="batch_item_by_state"
            )
        ]

    def __str__(self) -> str:
        return f"line {self.position} ({self.state})"
