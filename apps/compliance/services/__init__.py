"""Every write of the compliance app."""

from apps.compliance.services.desk import (
    Asked,
    extend_request,
    open_subject_request,
    refuse_request,
    verify_identity,
)
from apps.compliance.services.erasing import erase_again, erase_subject
from apps.compliance.services.exporting import export_evidence
from apps.compliance.services.rotating import rotate_keys
from apps.compliance.services.showing import export_subject, restrict_subject

__all__ = [
    "Asked",
    "erase_again",
    "erase_subject",
    "export_evidence",
    "export_subject",
    "extend_request",
    "open_subject_request",
    "refuse_request",
    "restrict_subject",
    "rotate_keys",
    "verify_identity",
]
