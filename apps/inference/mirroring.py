"""Handing an answered request to whoever compares it with a shadow's answer.

The mirror is named by ``settings.PE_MIRROR`` and gets what was answered after it became
durable. It must return at once and never raise: nothing that a shadow does may delay or
change what a person is told.
"""

from __future__ import annotations

from functools import lru_cache
from typing import cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from apps.accounts.contracts import KeyFacts
from apps.inference.contracts import Answer, Mirror


@lru_cache(maxsize=4)
def _mirror_at(path: str) -> Mirror:
    try:
        found = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(f"Mirror {path} cannot be imported") from error
    return cast("Mirror", found())


def mirror_answer(caller: KeyFacts, answer: Answer) -> None:
    """Mirror an answer that a model was asked for, when its router named shadows."""
    routed = answer.routed
    if routed is None or not routed.shadow_version_ids or answer.output is None:
        return
    _mirror_at(str(settings.PE_MIRROR)).mirror(caller, answer)
