"""The default router: whatever the ``production`` alias of the model points at.

A router chooses, it does not permit: the gateway refuses an unapproved version even
when the router returned it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import cast
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from apps.inference.contracts import Route, RouteQuestion, Router
from apps.inference.remembering import Remembered
from apps.inference.selectors import production_version_id
from apps.models_registry.selectors import PRODUCTION

_targets: Remembered[UUID] = Remembered()


class ProductionRouter:
    """Serves the ``production`` alias; UnknownModel or NothingServed without it."""

    def route(self, question: RouteQuestion) -> Route:
        name = question.model_name
        version_id = _targets.get(name, lambda: production_version_id(name))
        return Route(str(version_id), f"alias:{PRODUCTION}")


@lru_cache(maxsize=4)
def _router_at(path: str) -> Router:
    try:
        found = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(f"Router {path} cannot be imported") from error
    if not (isinstance(found, type) and callable(getattr(found, "route", None))):
        raise ImproperlyConfigured(f"Router {path} is not a class with route()")
    return cast("Router", found())


def current_router() -> Router:
    """The one router that ``settings.PE_ROUTER`` names."""
    return _router_at(str(settings.PE_ROUTER))
