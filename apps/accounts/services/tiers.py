"""Writing tiers: creating those that ship as code, changing the numbers of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts.contracts import TierFacts
from apps.accounts.keys import announce_key_change
from apps.accounts.models import Tier
from apps.accounts.permissions import require
from apps.accounts.tiers import TIERS
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.errors import InvalidInput

NUMBERS = tuple(field.name for field in fields(TierFacts) if field.name != "slug")


@transaction.atomic
def sync_tiers(*, actor: Actor, reset: bool = False) -> list[str]:
    """Create the tiers of tiers.py that are missing; with ``reset``, restore the rest.

    Returns the slugs of those created or restored. Safe to run twice.
    """
    require(actor, "accounts.sync_tiers")
    touched = []
    for shipped in TIERS:
        numbers = {name: getattr(shipped, name) for name in NUMBERS}
        tier, created = Tier.objects.get_or_create(slug=shipped.slug, defaults=numbers)
        changed = not created and any(getattr(tier, n) != numbers[n] for n in NUMBERS)
        if created or (reset and changed):
            _write(actor, tier, numbers, "accounts.tier_synced")
            touched.append(shipped.slug)
    return touched


@transaction.atomic
def change_tier(*, actor: Actor, tier: Tier, numbers: Mapping[str, object]) -> Tier:
    """Set some of a tier's numbers; InvalidInput for unknown names or bad values."""
    require(actor, "accounts.change_tier")
    unknown = set(numbers) - set(NUMBERS)
    if unknown:
        raise InvalidInput(f"A tier has no {', '.join(sorted(unknown))}.")
    _check_models(numbers.get("allowed_models"))
    locked = Tier.objects.select_for_update().get(pk=tier.pk)
    _write(actor, locked, numbers, "accounts.tier_changed")
    return locked


def _check_models(names: object) -> None:
    if names is None or (
        isinstance(names, list) and all(isinstance(name, str) for name in names)
    ):
        return
    raise InvalidInput("allowed_models is a list of names, or nothing for every model.")


def _write(actor: Actor, tier: Tier, numbers: Mapping[str, object], event: str) -> None:
    before = {name: getattr(tier, name) for name in numbers}
    for name, value in numbers.items():
        setattr(tier, name, value)
    try:
        tier.full_clean()
    except ValidationError as error:
        raise InvalidInput("; ".join(error.messages)) from error
    tier.save()
    record_event(
        actor=actor,
        event=event,
        subject=Subject("accounts.tier", str(tier.pk)),
        details={"slug": tier.slug, "before": before, "after": dict(numbers)},
    )
    transaction.on_commit(announce_key_change)
