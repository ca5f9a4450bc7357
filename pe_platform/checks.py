"""Start-up checks over conditions between settings (ids ``platform.*``)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register


# Any: Django passes app configs and keyword options that these checks do not read.
@register(Tags.security, deploy=True)
def check_hosts(**_: Any) -> list[CheckMessage]:
    if settings.ALLOWED_HOSTS and "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Error(
            "PE_ALLOWED_HOSTS is empty or accepts every host.",
            hint="Name the hosts this deployment answers to, separated by commas.",
            id="platform.E001",
        )
    ]


@register(Tags.security, deploy=True)
def check_secrets_differ(**_: Any) -> list[CheckMessage]:
    secrets = [
        settings.SECRET_KEY,
        settings.PE_AUDIT_KEY,
        settings.PE_CHECKPOINT_KEY,
        settings.PE_TEXT_DIGEST_KEY,
        *([settings.PE_DATA_KEY] if settings.PE_DATA_KEY else []),
        *settings.PE_API_KEY_PEPPERS.values(),
    ]
    if len(set(secrets)) == len(secrets):
        return []
    return [
        Error(
            "Two secrets have the same value.",
            hint="Each PE_*_KEY guards something else: give each its own value.",
            id="platform.E002",
        )
    ]


@register(Tags.security, deploy=True)
def check_environment(**_: Any) -> list[CheckMessage]:
    if settings.IS_PRODUCTION:
        return []
    return [
        Warning(
            "PE_ENVIRONMENT is 'local': cookies and redirects are not forced to HTTPS.",
            hint="Set PE_ENVIRONMENT=production, or leave it unset.",
            id="platform.W001",
        )
    ]
