"""The rule that ``settings.PE_PROMOTION_RULE`` names: it may say no, never yes.

What reports must show is judged in an app above this one; this one only asks.
"""

from __future__ import annotations

from functools import lru_cache
from typing import cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from apps.models_registry.contracts import PromotionRule


@lru_cache(maxsize=4)
def _rule_at(path: str) -> PromotionRule:
    try:
        found = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(
            f"Promotion rule {path} cannot be imported"
        ) from error
    return cast("PromotionRule", found())


def promotion_rule() -> PromotionRule:
    return _rule_at(str(settings.PE_PROMOTION_RULE))
