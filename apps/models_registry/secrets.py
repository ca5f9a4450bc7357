"""Opening what is sealed for an endpoint, for that endpoint alone.

A manifest may name any secret; it is sent nowhere but to the origin it was set for, so
that a version cannot carry it elsewhere.
"""

from __future__ import annotations

import uuid

from apps.core.sealing import seal_bytes, unseal_bytes
from apps.models_registry.errors import SecretMissing
from apps.models_registry.models import EndpointSecret

PURPOSE = b"pixelated-empathy endpoint secret v1"


def seal_secret(secret: str, row_id: uuid.UUID, origin: str) -> bytes:
    return seal_bytes(
        secret.encode(), purpose=PURPOSE, bound_to=bound_to_row(row_id, origin)
    )


def endpoint_secret(name: str, origin: str) -> str:
    """The secret; SecretMissing when there is none of that name for this origin.

    IntegrityFailure when row or key were changed.
    """
    row = EndpointSecret.objects.filter(name=name, origin=origin).first()
    if row is None:
        raise SecretMissing(f"There is no secret {name} for {origin}.")
    sealed = bytes(row.sealed)
    bound_to = bound_to_row(row.pk, row.origin)
    return unseal_bytes(sealed, purpose=PURPOSE, bound_to=bound_to).decode()


def bound_to_row(row_id: uuid.UUID, origin: str) -> bytes:
    return row_id.bytes + origin.encode()
