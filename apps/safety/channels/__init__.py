"""Notification channels: how somebody is told that a case waits, never what was said.

One module a channel; ``PE_NOTIFICATION_CHANNELS`` names the classes. A channel knows
neither the database nor retry: it sends once, says what came of it, or raises.
"""

from __future__ import annotations

from django.conf import settings

from apps.core.plugins import load_family
from apps.safety.channels.base import Channel


def channels() -> dict[str, Channel]:
    """The channels that can be used as configured now, by name, in settings' order.

    Raises ImproperlyConfigured for a path that is no channel.
    """
    # mypy: the family's base is abstract; its members are not built there.
    classes = load_family(settings.PE_NOTIFICATION_CHANNELS, Channel)  # type: ignore[type-abstract]
    built = {name: channel() for name, channel in classes.items()}
    return {name: channel for name, channel in built.items() if channel.is_configured()}


def reaching_people() -> frozenset[str]:
    """Names of the channels by which a person may hear of a case."""
    return frozenset(n for n, channel in channels().items() if channel.reaches_people)
