"""Start-up checks of the safety app (ids ``safety.*``): no gates, no start."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from apps.core.errors import PlatformError
from apps.core.plugins import load_family
from apps.safety.gates.base import BaseGate
from apps.safety.policy import GATE_ORDER, default_document, parse_policy

REQUIRED_LOCALES = ("en-US", "en-GB", "es", "international")


# Any: Django passes app configs and keyword options that these checks do not read.
@register()
def check_gates(**_: Any) -> list[CheckMessage]:
    """E001: the gates load. E002: they are the six, in order."""
    try:
        found = tuple(load_family(settings.PE_GATES, BaseGate))  # type: ignore[type-abstract]
    except ImproperlyConfigured as error:
        return [
            Error(
                str(error),
                hint="PE_GATES lists dotted paths of gate classes.",
                id="safety.E001",
            )
        ]
    if found == GATE_ORDER:
        return []
    return [
        Error(
            f"PE_GATES holds {', '.join(found) or 'nothing'}.",
            hint=f"It must name exactly {', '.join(GATE_ORDER)}, in this order.",
            id="safety.E002",
        )
    ]


@register()
def check_weights(**_: Any) -> list[CheckMessage]:
    """E003: the shipped classifier is there and is what its manifest says."""
    from apps.safety.runtime.linear import LinearScorer

    try:
        LinearScorer.load()
    except PlatformError as error:
        return [
            Error(
                f"Gate weights: {error.message}",
                hint="Restore apps/safety/weights, or train them again.",
                id="safety.E003",
            )
        ]
    return []


@register()
def check_default_policy(**_: Any) -> list[CheckMessage]:
    """E004: the shipped policy is complete, with texts for every promised locale."""
    try:
        policy = parse_policy(default_document(), name="default")
    except PlatformError as error:
        return [Error(f"Default policy: {error.message}", id="safety.E004")]
    missing = sorted(set(REQUIRED_LOCALES) - set(policy.locales))
    if not missing:
        return []
    return [
        Error(
            f"The default policy has no texts for {', '.join(missing)}.",
            hint="Every locale needs crisis, blocked and unavailable texts.",
            id="safety.E004",
        )
    ]
