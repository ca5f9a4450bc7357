"""API key authentication and scopes for DRF."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class ApiKeyAuthentication(BaseAuthentication):
    """Placeholder until keys exist: nobody is authenticated."""

    def authenticate(self, request: Request) -> None:
        return None


class HasScope(BasePermission):
    """Placeholder until keys exist: nothing is permitted."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return False
