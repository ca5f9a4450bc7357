"""Secrets of model endpoints: sealed, named by manifests, bound to one origin."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class EndpointSecret(models.Model):
    """``origin`` is the only scheme, host and port that the secret is ever sent to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(max_length=60, unique=True)
    origin = models.CharField(max_length=300)
    sealed = models.BinaryField()
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="endpoint_secrets",
    )
    set_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        default_permissions = ("view",)
        permissions = [("set_endpointsecret", "Can set secrets of model endpoints")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(origin=""),
                name="endpoint_secret_has_name_and_origin",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} for {self.origin}"
