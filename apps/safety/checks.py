"""Start-up checks of the safety app (ids ``safety.*``): no gates, no start."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from apps.core.errors import PlatformError
from apps.core.plugins import load_family
from apps.safety.channels import reaching_people
from apps.safety.channels.base import Channel, ChannelFailed
from apps.safety.channels.webhook import is_safe_url, secret_bytes
from apps.safety.gates.base import BaseGate
from apps.safety.policy import (
    GATE_ORDER,
    Policy,
    default_document,
    default_policy,
    parse_policy,
)
from apps.safety.selectors import policy_in_force

LEAST_SECRET_BYTES = 24
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
    from apps.safety.runtime.cascade import shipped_scorer
    from apps.safety.runtime.tagger import Tagger

    try:
        shipped_scorer()
        Tagger.load()
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


@register()
def check_channels(**_: Any) -> list[CheckMessage]:
    """E005: channels load. E006: the webhook is signed, and encrypted on its way."""
    try:
        load_family(settings.PE_NOTIFICATION_CHANNELS, Channel)  # type: ignore[type-abstract]
    except ImproperlyConfigured as error:
        return [Error(str(error), id="safety.E005")]
    if not settings.PE_ESCALATION_WEBHOOK_URL:
        return []
    if not is_safe_url(settings.PE_ESCALATION_WEBHOOK_URL):
        hint = "Use https, or http to this machine."
        return [Error("PE_ESCALATION_WEBHOOK_URL.", hint=hint, id="safety.E006")]
    try:
        secret = secret_bytes(settings.PE_ESCALATION_WEBHOOK_SECRET)
    except ChannelFailed:
        secret = b""
    if len(secret) >= LEAST_SECRET_BYTES:
        return []
    hint = f"Give it {LEAST_SECRET_BYTES} bytes or more, plain or as whsec_BASE64."
    return [Error("PE_ESCALATION_WEBHOOK_SECRET.", hint=hint, id="safety.E006")]


@register(Tags.security, deploy=True)
def check_somebody_is_told(**_: Any) -> list[CheckMessage]:
    """W001: with the log alone, nobody is sure to hear of a crisis."""
    if reaching_people():
        return []
    return [
        Warning(
            "No notification channel reaches a person.",
            hint="Set PE_SMTP_HOST or PE_ESCALATION_WEBHOOK_URL (docs/ops).",
            id="safety.W001",
        )
    ]


@register()
def check_shipped_contacts(**_: Any) -> list[CheckMessage]:
    """W002: a helpline of the shipped policy waits to be verified again."""
    return _stale(default_policy(), "the shipped policy")


@register(Tags.database)
def check_contacts_in_force(
    databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """W002, for the policy in force; runs with ``check --database default``."""
    if not databases:
        return []
    try:
        return _stale(policy_in_force(), "the policy in force")
    except (PlatformError, DatabaseError):
        # No policy, or no tables yet: other checks and /readyz say so.
        return []


def _stale(policy: Policy, which: str) -> list[CheckMessage]:
    limit_days = int(settings.PE_CONTACT_STALE_DAYS)
    stale = policy.stale_contacts(datetime.now(UTC).date(), limit_days)
    if not stale:
        return []
    named = ", ".join(f"{one.name} ({one.locale})" for one in stale)
    return [
        Warning(
            f"Helplines of {which} not verified for {limit_days} days: {named}.",
            hint="Verify each, and adopt a policy with the new verified_on dates.",
            id="safety.W002",
        )
    ]
