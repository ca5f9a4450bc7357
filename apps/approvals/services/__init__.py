"""Requesting, signing, withdrawing, voiding and expiring; the only writers here."""

from apps.approvals.services.closing import (
    expire_overdue_requests,
    void_if_changed,
    withdraw_request,
)
from apps.approvals.services.requesting import request_approval
from apps.approvals.services.signing import sign

__all__ = [
    "expire_overdue_requests",
    "request_approval",
    "sign",
    "void_if_changed",
    "withdraw_request",
]
