"""Errors of the datasets app. A message names a line or a field, never its content."""

from __future__ import annotations

from apps.core.errors import IntegrityFailure, InvalidInput, NotPermitted, StateConflict


class UnreadableDataset(InvalidInput):
    """The file cannot be read as rows; nothing of it was kept."""

    code = "dataset_unreadable"
    title = "Dataset file cannot be read"


class SchemaInvalid(InvalidInput):
    """The description of the rows is itself wrong."""

    code = "dataset_schema_invalid"
    title = "Dataset schema invalid"


class AlreadyIngested(StateConflict):
    """A version with exactly this content exists."""

    code = "dataset_already_ingested"
    title = "Dataset content already ingested"


class WrongState(StateConflict):
    """The version is not in a state from which this step can be taken."""

    code = "dataset_version_state"
    title = "Dataset version is in another state"


class NotFrozen(StateConflict):
    """A version exists, but it has not been frozen or is retired."""

    code = "dataset_version_not_frozen"
    title = "Dataset version not frozen"


class GrantClosed(NotPermitted):
    """The grant expired, was revoked or was never given."""

    code = "dataset_grant_closed"
    title = "Grant not in force"


class StoredContentChanged(IntegrityFailure):
    """Stored bytes are missing or differ from the digest that was recorded."""

    code = "dataset_content_changed"
    title = "Stored dataset content changed"
