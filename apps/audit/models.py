"""The chain: one row an event, each naming the one before it by digest.

Entries cannot be changed or deleted through the ORM, and database triggers refuse it
too. They hold labels and digests as text, no foreign keys, so that they outlive what
they describe; they never hold what a participant wrote.
"""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models

from apps.core.errors import NotPermitted


def _refuse(*_: Any, **__: Any) -> NoReturn:
    raise NotPermitted("Audit entries cannot be changed or deleted.")


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """Reads and inserts; everything else is refused."""

    update = _refuse
    delete = _refuse
    bulk_update = _refuse
    update_or_create = _refuse
    bulk_create = _refuse


class AuditChain(models.Model):
    """The head of one chain: a place to lock, and a witness of its length."""

    name = models.CharField(max_length=80, unique=True)
    sequence = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=80, default="")

    def __str__(self) -> str:
        return f"{self.name} at {self.sequence}"


class AuditEntry(models.Model):
    chain = models.CharField(max_length=80)
    sequence = models.PositiveBigIntegerField()
    recorded_at = models.DateTimeField(db_index=True)
    event = models.CharField(max_length=80, db_index=True)
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64)
    actor_label = models.CharField(max_length=200)
    subject_label = models.CharField(max_length=80)
    subject_id = models.CharField(max_length=80)
    subject_digest = models.CharField(max_length=80, blank=True)
    request_id = models.CharField(max_length=64, blank=True, db_index=True)
    details = models.JSONField(default=dict)
    key_id = models.CharField(max_length=40)
    previous_digest = models.CharField(max_length=80, blank=True)
    digest = models.CharField(max_length=80)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"
        base_manager_name = "objects"
        constraints = [
            models.UniqueConstraint(
                fields=["chain", "sequence"], name="audit_chain_sequence_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(sequence__gte=1), name="audit_sequence_from_one"
            ),
        ]
        indexes = [
            models.Index(
                fields=["subject_label", "subject_id"], name="audit_by_subject"
            ),
            models.Index(fields=["actor_label"], name="audit_by_actor"),
        ]
        permissions = [
            ("verify_auditentry", "Can verify the audit chain"),
            ("export_auditentry", "Can export audit entries"),
            ("checkpoint_auditentry", "Can write signed checkpoints"),
        ]

    def __str__(self) -> str:
        return f"{self.chain}#{self.sequence} {self.event}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            _refuse()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse()
