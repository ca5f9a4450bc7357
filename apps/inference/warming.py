"""What a server process loads before it is sent anyone's message.

Loading takes seconds. Done here, no person waits for it; left out, the first request
of each process pays, and nothing is decided differently.
"""

from __future__ import annotations

import logging
import os

from django.db import Error as DatabaseError

from apps.core.errors import PlatformError
from apps.inference.parts import policy_or_shipped, ready_guard
from apps.models_registry.models import ModelAlias, ModelVersion
from apps.models_registry.selectors import PRODUCTION, version_for_alias
from apps.models_registry.serving import warm as warm_version

logger = logging.getLogger(__name__)
_warmed_in: list[int] = []


def warm_serving() -> list[str]:
    """Load gates and every model in production; the labels of what was loaded.

    What cannot be loaded is logged and left to the request that needs it, which is
    then answered with the fixed *unavailable* text.
    """
    ready_guard(*policy_or_shipped())
    try:
        names = _names_in_production()
    except DatabaseError as error:
        logger.warning("Models not warmed", exc_info=error)
        names = []
    labels = [label for name in names for label in _warmed(name)]
    _warmed_in[:] = [os.getpid()]
    return labels


def is_warm() -> bool:
    """Whether this very process has been through ``warm_serving``."""
    return _warmed_in == [os.getpid()]


def _names_in_production() -> list[str]:
    aliases = ModelAlias.objects.filter(
        name=PRODUCTION, version__state=ModelVersion.State.APPROVED
    )
    return list(aliases.order_by("model__name").values_list("model__name", flat=True))


def _warmed(model_name: str) -> list[str]:
    try:
        version = version_for_alias(model_name)
        warm_version(version)
    except PlatformError as error:
        logger.error(
            "Model not warmed", extra={"model": model_name, "code": error.code}
        )
        return []
    return [version.label]
