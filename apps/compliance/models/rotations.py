"""How far a rotation of keys has come, so that a killed one goes on where it was."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class KeyRotation(models.Model):
    """One pass over everything sealed. ``position`` is the last place done in
    ``store``; people's keys come first, under the store name ``subject-keys``."""

    target = models.CharField(
        max_length=64, help_text="The id of the key that everything is put under."
    )
    started_at = models.DateTimeField()
    started_by = models.CharField(max_length=200)
    total = models.PositiveBigIntegerField(help_text="Values there were at the start.")
    done = models.PositiveBigIntegerField(default=0)
    changed = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(
        default=0, help_text="Values that could not be opened; they were left alone."
    )
    store = models.CharField(max_length=60, blank=True)
    position = models.CharField(max_length=100, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("rotate_keys", "Can put sealed data under the current key")]
        constraints = [
            models.UniqueConstraint(
                fields=["target"],
                condition=Q(finished_at__isnull=True),
                name="keyrotation_one_under_way",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True)
                | Q(finished_at__gte=models.F("started_at")),
                name="keyrotation_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"to {self.target}: {self.done} of {self.total}"
