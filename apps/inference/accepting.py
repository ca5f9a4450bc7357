"""What every protocol does between a key and the gated path: bodies, limits, claims."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import HttpResponseBase
from rest_framework.request import Request

from apps.accounts.contracts import KeyFacts
from apps.accounts.errors import KeyMissing
from apps.inference.errors import BodyTooLarge
from apps.inference.http import require_json
from apps.inference.idempotency import Claim, StoredResponse, claim_or_replay
from apps.inference.parsing import Limits, parse_json, read_idempotency_key
from apps.inference.parts import PlatformParts, UnclaimedParts
from apps.safety.services import text_digest

logger = logging.getLogger(__name__)

# Earlier turns may hold this many times what one text may.
CONTEXT_FACTOR = 4


@dataclass(frozen=True, slots=True)
class Accepted:
    """The parts to serve a request with; ``stored`` is its first outcome, if any."""

    parts: PlatformParts
    claim: Claim | None = None
    stored: StoredResponse | None = None


def key_of(request: Request) -> KeyFacts:
    """The key of a request that passed HasScope; KeyMissing for any other."""
    caller = request.auth
    if not isinstance(caller, KeyFacts):
        raise KeyMissing("Send the header: Authorization: Bearer API_KEY")
    return caller


def limits_of(caller: KeyFacts) -> Limits:
    chars = caller.tier.max_text_chars
    return Limits(text_chars=chars, context_chars=chars * CONTEXT_FACTOR)


# Any: whatever JSON was sent; a reader narrows it.
def body_of(request: Request) -> Any:
    """The JSON of a body; NotJson, BodyTooLarge, InvalidBody or InvalidField."""
    require_json(request)
    try:
        raw = request.body
    except RequestDataTooBig as error:
        raise BodyTooLarge("The body is larger than this API reads.") from error
    return parse_json(raw)


def accept(caller: KeyFacts, request: Request, subject: str, body: Any) -> Accepted:
    """Claim the request's Idempotency-Key, when it has one.

    ``subject`` tells apart what the same body may be sent to.
    """
    key = read_idempotency_key(request.META.get("HTTP_IDEMPOTENCY_KEY"))
    if not key:
        return Accepted(PlatformParts(caller))
    content = orjson.dumps([subject, body], option=orjson.OPT_SORT_KEYS)
    try:
        claim = claim_or_replay(
            key_family_id=caller.family_id,
            idempotency_key=key,
            body_digest=text_digest(content.decode()),
        )
    except DatabaseError as error:
        # Refusing here would keep the crisis gate from seeing the text.
        logger.error("Idempotency key not claimed", exc_info=error)
        return Accepted(UnclaimedParts(caller))
    if isinstance(claim, StoredResponse):
        return Accepted(PlatformParts(caller), stored=claim)
    return Accepted(PlatformParts(caller), claim)


def tell_when(response: HttpResponseBase, retry_after_s: float | None) -> None:
    """Retry-After, when there is a time to tell."""
    if retry_after_s is not None:
        response["Retry-After"] = str(max(1, math.ceil(retry_after_s)))
