"""Every write of the compliance app."""

from apps.compliance.services.rotating import rotate_keys

__all__ = ["rotate_keys"]
