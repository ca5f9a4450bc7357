"""Tables of the compliance app."""

from apps.compliance.models.bundles import EvidenceBundle
from apps.compliance.models.requests import SubjectRequest
from apps.compliance.models.rotations import KeyRotation

__all__ = ["EvidenceBundle", "KeyRotation", "SubjectRequest"]
