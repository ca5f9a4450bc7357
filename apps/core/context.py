"""The request id that ties HTTP, Celery, logs and audit entries together.

A context variable, so that threads and tasks never see one another's. It holds an
identifier only; nothing a participant wrote may be put here.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_request_id: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """The id of the request or task being served, or an empty string outside one."""
    return _request_id.get()


def new_request_id() -> str:
    return str(uuid.uuid4())


@contextmanager
def request_context(request_id: str) -> Iterator[str]:
    """Make ``request_id`` current inside the block."""
    token = _request_id.set(request_id)
    try:
        yield request_id
    finally:
        _request_id.reset(token)
