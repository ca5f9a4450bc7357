"""Plug-ins: implementations named by one line in settings, checked when loaded.

A family refuses a missing module, a wrong base type and a duplicate ``name``; it never
skips one quietly, since a gate that failed to load must not look like a gate that
passed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

P = TypeVar("P")


def load_class(path: str, base: type[P]) -> type[P]:
    """The class at a dotted path; ImproperlyConfigured if missing or not a ``base``."""
    try:
        found = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(f"Plug-in {path} cannot be imported") from error
    if not (isinstance(found, type) and issubclass(found, base)):
        raise ImproperlyConfigured(f"Plug-in {path} is not a {base.__name__}")
    return found


def load_family(paths: Iterable[str], base: type[P]) -> dict[str, type[P]]:
    """Classes by their ``name``, in the order of ``paths``; duplicates are refused."""
    family: dict[str, type[P]] = {}
    for path in paths:
        found = load_class(path, base)
        name = getattr(found, "name", "")
        if not name:
            raise ImproperlyConfigured(f"Plug-in {path} has no name")
        if name in family:
            raise ImproperlyConfigured(f"Two plug-ins are named {name}: {path}")
        family[name] = found
    return family
