"""API keys, the tiers that bound them, and how much of its quota a key has used.

A key's secret is never stored: the row holds a keyed hash, and the prefix that people
see. Rows are never deleted; a key ends by expiry or by revocation.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

PAIRED_REVOCATION = Q(revoked_at__isnull=True, revoked_by__isnull=True) | Q(
    revoked_at__isnull=False, revoked_by__isnull=False
)


class Tier(models.Model):
    """What a key may spend: a rate, two quotas, a text size and some models."""

    slug = models.SlugField(max_length=40, unique=True)
    requests_per_second = models.FloatField(help_text="Sustained rate, per key.")
    burst = models.PositiveIntegerField(help_text="Requests that may come at once.")
    daily_quota = models.PositiveIntegerField(help_text="Requests in a UTC day.")
    monthly_quota = models.PositiveIntegerField(help_text="Requests in a UTC month.")
    max_text_chars = models.PositiveIntegerField(help_text="Code points of one text.")
    allowed_models = models.JSONField(
        null=True,
        blank=True,
        help_text="Names as a JSON list; empty means every model.",
    )

    class Meta:
        ordering = ["requests_per_second"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    requests_per_second__gt=0, requests_per_second__lte=100_000
                ),
                name="tier_rate_positive",
            ),
            models.CheckConstraint(
                condition=Q(burst__gte=1), name="tier_burst_from_one"
            ),
            models.CheckConstraint(
                condition=Q(daily_quota__gte=1, monthly_quota__gte=F("daily_quota")),
                name="tier_month_holds_a_day",
            ),
            models.CheckConstraint(
                condition=Q(max_text_chars__gte=1), name="tier_text_from_one"
            ),
        ]
        permissions = [("sync_tiers", "Can create the tiers that ship as code")]

    def __str__(self) -> str:
        return self.slug


class ApiKey(models.Model):
    """One credential of a program."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    prefix = models.CharField(max_length=24, unique=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    pepper_id = models.CharField(max_length=40, editable=False)
    name = models.CharField(max_length=100)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="api_keys"
    )
    scopes = models.JSONField()
    jurisdiction = models.CharField(
        max_length=60,
        blank=True,
        help_text="The policy that decides for this key; empty for the default one.",
    )
    tier = models.ForeignKey(Tier, on_delete=models.PROTECT, related_name="keys")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
    )
    rotated_from = models.OneToOneField(
        "self",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="rotated_to",
    )
    # The first key of a line of rotations: rate and quota are counted for the line, so
    # that rotating does not refill them.
    family_id = models.UUIDField(db_index=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=PAIRED_REVOCATION, name="apikey_revocation_paired"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True)
                | Q(expires_at__gt=F("created_at")),
                name="apikey_expires_after_creation",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="apikey_has_a_name"),
            models.CheckConstraint(
                condition=~Q(rotated_from=F("id")), name="apikey_not_from_itself"
            ),
        ]
        permissions = [
            ("rotate_apikey", "Can replace API keys by new ones"),
            ("revoke_apikey", "Can revoke API keys"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    def state_at(self, moment: datetime) -> str:
        """``revoked``, ``expired`` or ``active`` at a moment."""
        if self.revoked_at is not None:
            return "revoked"
        expired = self.expires_at is not None and self.expires_at <= moment
        return "expired" if expired else "active"


class QuotaUsage(models.Model):
    """Requests that a key's line has spent in one UTC day or month."""

    class Period(models.TextChoices):
        DAY = "day", "Day"
        MONTH = "month", "Month"

    family_id = models.UUIDField()
    period = models.CharField(max_length=5, choices=Period.choices)
    start = models.DateField()
    used = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "quota usage"
        constraints = [
            models.UniqueConstraint(
                fields=["family_id", "period", "start"], name="quota_once_per_period"
            ),
            models.CheckConstraint(
                condition=Q(period__in=["day", "month"]), name="quota_period_known"
            ),
            models.CheckConstraint(
                condition=Q(used__gte=0), name="quota_never_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.used} in the {self.period} from {self.start}"
