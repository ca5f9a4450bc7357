"""Start-up checks of the keys (ids ``core.*``): no key or a wrong one, no start."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from apps.core.errors import IntegrityFailure, PlatformError
from apps.core.keys.canary import verify_canaries
from apps.core.keys.errors import KeyUnknown


# Any: Django passes app configs and keyword options that these checks do not read.
@register()
def check_keys(**_: Any) -> list[CheckMessage]:
    """E001: no key. E002: a key that is not the one in use. E003: one is missing."""
    try:
        verify_canaries()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint="See PE_KEY_WRAPPERS.", id="core.E001")]
    except KeyUnknown as error:
        return [Error(error.message, hint=_HINT, id="core.E003")]
    except IntegrityFailure as error:
        return [Error(error.message, hint=_HINT, id="core.E002")]
    except PlatformError as error:
        return [Error(error.message, hint=_HINT, id="core.E001")]
    return []


_HINT = "docs/compliance/encryption.md says where keys come from and how they change."


def refuse_to_start_without_keys() -> None:
    """End this process when ``check_keys`` finds anything: servers and workers call it,
    since they start without the checks of manage.py."""
    found = check_keys()
    if found:
        raise SystemExit("; ".join(f"{one.id}: {one.msg}" for one in found))
