"""The second thing a member of staff signs in with: an authenticator, and spare codes.

The authenticator's secret is sealed under a key that the database lacks; a spare code
is kept as its keyed digest. A row is one device of one person; deleting it ends every
session that was opened with it.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class Authenticator(models.Model):
    """A TOTP device (RFC 6238). ``last_step`` is the newest time step it opened with,
    so that a code read over a shoulder does not open a second session."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="authenticator"
    )
    sealed_secret = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    last_step = models.BigIntegerField(default=-1)
    failures = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"authenticator of {self.user_id}"


class RecoveryCode(models.Model):
    """One spare code, good for one use."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="recovery_codes",
    )
    digest = models.CharField(max_length=80)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["user", "digest"], name="recoverycode_once_per_person"
            ),
            models.CheckConstraint(
                condition=~Q(digest=""), name="recoverycode_has_a_digest"
            ),
        ]

    def __str__(self) -> str:
        return f"recovery code of {self.user_id}"
