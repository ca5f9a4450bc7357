"""Setting secrets of model endpoints. A secret goes in and is never shown again."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils import timezone

from apps.accounts.permissions import acting_user, require
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.errors import InvalidInput
from apps.models_registry.adapters.remote.endpoint import SECRET_NAME, origin_of
from apps.models_registry.models import EndpointSecret
from apps.models_registry.secrets import seal_secret

MOST_SECRET_CHARS = 4096


@transaction.atomic
def set_endpoint_secret(
    *, actor: Actor, name: str, base_url: str, secret: str
) -> EndpointSecret:
    """Store a secret for the origin of a URL; one of this name is replaced.

    Running processes send the new one with their next call. InvalidInput for a name,
    URL or secret that cannot be one.
    """
    require(actor, "models_registry.set_endpointsecret")
    if not SECRET_NAME.fullmatch(name):
        raise InvalidInput("A name is 1 to 60 of a-z, 0-9, - and _, not - or _ first.")
    if not 1 <= len(secret) <= MOST_SECRET_CHARS or not _is_printable(secret):
        raise InvalidInput(
            f"A secret is 1 to {MOST_SECRET_CHARS} printable ASCII characters without "
            "blanks."
        )
    origin = origin_of(base_url)
    known = EndpointSecret.objects.select_for_update().filter(name=name).first()
    row_id = known.pk if known else uuid.uuid4()
    values = {
        "origin": origin,
        "sealed": seal_secret(secret, row_id, origin),
        "set_by": acting_user(actor),
        "set_at": timezone.now(),
    }
    row, _ = EndpointSecret.objects.update_or_create(
        name=name, defaults=values, create_defaults={"id": row_id, **values}
    )
    record_event(
        actor=actor,
        event="models_registry.endpoint_secret_set",
        subject=Subject("models_registry.endpointsecret", str(row.pk)),
        details={"name": name, "origin": origin, "replaced": known is not None},
    )
    return row


def _is_printable(secret: str) -> bool:
    """Whether it can stand in a header."""
    return all("!" <= char <= "~" for char in secret)
