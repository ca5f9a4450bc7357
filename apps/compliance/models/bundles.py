"""Which evidence left the platform, for which period, and by whom."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class EvidenceBundle(models.Model):
    """One export. ``digest`` is that of its signed manifest, which names each file."""

    starts_on = models.DateField()
    ends_on = models.DateField(help_text="The last day in it (UTC).")
    digest = models.CharField(max_length=80)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-made_at"]
        default_permissions = ("view",)
        permissions = [("export_evidencebundle", "Can export evidence for a period")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="evidencebundle_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_on} to {self.ends_on}"
