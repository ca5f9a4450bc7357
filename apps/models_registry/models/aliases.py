"""Aliases and the append-only record of where they pointed, and on whose word."""

from __future__ import annotations

from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.core.errors import NotPermitted
from apps.models_registry.models.catalog import ModelVersion, RegisteredModel


def _refuse(*_: Any, **__: Any) -> NoReturn:
    raise NotPermitted("The history of an alias cannot be changed or deleted.")


class ModelAlias(models.Model):
    model = models.ForeignKey(
        RegisteredModel, on_delete=models.PROTECT, related_name="aliases"
    )
    name = models.SlugField(max_length=40)
    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="aliases"
    )
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "model aliases"
        ordering = ["model__name", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["model", "name"], name="alias_once_per_model"
            )
        ]
        permissions = [("rollback_modelalias", "Can roll an alias back")]

    def __str__(self) -> str:
        return self.name


class AliasHistory(models.QuerySet["AliasChange"]):
    """Reads and inserts; everything else is refused."""

    update = _refuse
    delete = _refuse
    bulk_update = _refuse
    update_or_create = _refuse


class AliasChange(models.Model):
    model = models.ForeignKey(
        RegisteredModel, on_delete=models.PROTECT, related_name="alias_changes"
    )
    alias = models.SlugField(max_length=40)
    from_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    to_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="+"
    )
    to_digest = models.CharField(max_length=80)
    approval_id = models.UUIDField()
    reason = models.CharField(max_length=200)
    is_rollback = models.BooleanField(default=False)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    changed_at = models.DateTimeField()

    objects = AliasHistory.as_manager()

    class Meta:
        ordering = ["-changed_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(from_version__isnull=True)
                | ~Q(from_version=F("to_version")),
                name="alias_change_moves",
            )
        ]
        indexes = [
            models.Index(
                fields=["model", "alias", "changed_at"], name="alias_at_a_moment"
            )
        ]

    def __str__(self) -> str:
        return f"{self.alias} moved at {self.changed_at:%Y-%m-%d %H:%M}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            _refuse()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse()
