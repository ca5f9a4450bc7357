"""What is kept of a request: the decision and its evidence, never the words.

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
