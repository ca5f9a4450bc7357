"""Screens of the compliance app."""

from apps.compliance.admin.bundles import EvidenceBundleAdmin
from apps.compliance.admin.requests import SubjectRequestAdmin
from apps.compliance.admin.rotations import KeyRotationAdmin

__all__ = ["EvidenceBundleAdmin", "KeyRotationAdmin", "SubjectRequestAdmin"]
