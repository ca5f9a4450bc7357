"""Errors about keys. A message names key ids and settings, never key material."""

from __future__ import annotations

from apps.core.errors import StateConflict, Unavailable


class KeysUnavailable(Unavailable):
    """The key-encryption key or the folder of subject keys cannot be used now."""

    code = "keys_unavailable"
    title = "Keys unavailable"


class KeyUnknown(KeysUnavailable):
    """Something was wrapped under a key id that is not configured."""

    code = "key_unknown"
    title = "Key not configured"


class KeyDestroyed(StateConflict):
    """The person's key was destroyed: nobody can read this any more."""

    code = "subject_key_destroyed"
    status = 410
    title = "Erased"


class SubjectRestricted(StateConflict):
    """Processing of this person's data is restricted."""

    code = "subject_restricted"
    title = "Processing restricted"
