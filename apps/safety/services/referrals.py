"""Exporting a referral report: permission, an audit entry, and only then the report."""

from __future__ import annotations

from datetime import date

from django.db import transaction

from apps.accounts.permissions import require
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.errors import InvalidInput
from apps.safety.referrals import ReferralReport, referral_report
from apps.safety.selectors import handled_cases

LONGEST_DAYS = 3660


def export_referrals(*, actor: Actor, first: date, last: date) -> ReferralReport:
    """The report of the cases opened from the first day to the last (UTC, both in).

    Raises NotPermitted without ``safety.report_escalation``, InvalidInput for a period
    that ends before it begins or spans more than ten years.
    """
    require(actor, "safety.report_escalation")
    if not 0 <= (last - first).days <= LONGEST_DAYS:
        raise InvalidInput("A period ends on or after the day it begins, within years.")
    with transaction.atomic():
        record_event(
            actor=actor,
            event="safety.referrals_exported",
            subject=Subject("safety.escalation", "*"),
            details={"first": first.isoformat(), "last": last.isoformat()},
        )
    return referral_report(handled_cases(first, last), first=first, last=last)
