"""What ties HTTP, Celery, logs and audit entries together: request id and sender.

Context variables, so that threads and tasks never see one another's. They hold
identifiers only; nothing a participant wrote may be put here.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from apps.core.actors import Actor

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_last_actor: ContextVar[Mapping[str, str] | None] = ContextVar("actor", default=None)
_principal: ContextVar[Mapping[str, str] | None] = ContextVar("principal", default=None)


def current_request_id() -> str:
    """The id of the request or task being served, or an empty string outside one."""
    return _request_id.get()


def new_request_id() -> str:
    return str(uuid.uuid4())


def note_actor(actor: Actor) -> None:
    """Remember who acts here, so that messages sent from here can say so."""
    _last_actor.set(actor.to_header())


def last_actor() -> Mapping[str, str] | None:
    """Whoever acted last in this context: ``kind``, ``id`` and ``label``."""
    return _principal.get() or _last_actor.get()


def principal() -> Mapping[str, str] | None:
    """On whose behalf a task runs: the actor whose action sent it, if any."""
    return _principal.get()


@contextmanager
def request_context(
    request_id: str, on_behalf_of: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Make ``request_id``, and a task's sender, current inside the block."""
    tokens = (_request_id.set(request_id), _principal.set(on_behalf_of))
    actor_token = _last_actor.set(None)
    try:
        yield request_id
    finally:
        _request_id.reset(tokens[0])
        _principal.reset(tokens[1])
        _last_actor.reset(actor_token)
