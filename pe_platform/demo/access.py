"""An API key, and the two requests that a program would send.

A request that got no answer is sent again under its Idempotency-Key, as every program
should: the platform answers it once, whatever happened on the way.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from typing import Any

from apps.accounts.models import ApiKey, Tier, User
from apps.accounts.services import issue_key, revoke_key
from apps.core.errors import Unavailable
from pe_platform.demo.cast import KEY_NAME, LOCALE, MODEL, OPERATOR, TIER
from pe_platform.demo.people import acting

SCOPES = ("inference:predict", "inference:read", "models:read")
# A claim that a killed process left behind ends after a minute.
ANSWER_TIMEOUT_S = 90.0
RETRY_S = 1.0
IN_PROGRESS = "idempotency_in_progress"


def issue_demo_key() -> str:
    """A key owned by the operator; its text is shown now and never again.

    A key of an earlier demo that was killed before it showed anything is of no use to
    anyone: it is revoked.
    """
    for unseen in ApiKey.objects.filter(name=KEY_NAME, revoked_at=None):
        revoke_key(
            actor=acting(OPERATOR), key=unseen, reason="its text was never shown"
        )
    _, raw = issue_key(
        actor=acting(OPERATOR),
        name=KEY_NAME,
        owner=User.objects.get(username=OPERATOR.username),
        scopes=SCOPES,
        tier=Tier.objects.get(slug=TIER),
    )
    return raw


def demo_key_prefix() -> str:
    """The prefix of the key issued on the first run, or an empty string."""
    found = ApiKey.objects.filter(name=KEY_NAME, revoked_at=None).first()
    return found.prefix if found else ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said to one message. Any: parsed JSON."""

    status: int
    body: dict[str, Any]


def predict_url(base_url: str) -> str:
    return f"{base_url}/api/v1/models/{MODEL}/predict"


def predict_body(message: str) -> str:
    return json.dumps({"input": {"text": message, "locale": LOCALE}})


def ask(base_url: str, raw_key: str, message: str) -> Answer:
    """Send one message as a program would; Unavailable when nothing answers in time."""
    idempotency_key = str(uuid.uuid4())
    deadline = time.monotonic() + ANSWER_TIMEOUT_S
    while True:
        answer = _ask_once(base_url, raw_key, message, idempotency_key)
        if answer is not None:
            return answer
        if time.monotonic() > deadline:
            raise Unavailable(f"{base_url} does not answer: is it running?")
        time.sleep(RETRY_S)


def _ask_once(
    base_url: str, raw_key: str, message: str, idempotency_key: str
) -> Answer | None:
    """The answer; None when there was none, or the first attempt still holds on."""
    request = urllib.request.Request(  # noqa: S310 - the launcher's own address
        predict_url(base_url),
        data=predict_body(message).encode(),
        headers={
            "Authorization": f"Bearer {raw_key}",
            "Content-Type": "application/json",
            "Idempotency-Key": idempotency_key,
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return Answer(response.status, json.load(response))
    except urllib.error.HTTPError as error:
        found = Answer(error.code, _json_of(error))
    except (OSError, http.client.HTTPException, ValueError):
        # Refused, cut off, or half an answer: the process that had it is gone.
        return None
    return None if found.body.get("code") == IN_PROGRESS else found


def _json_of(error: urllib.error.HTTPError) -> dict[str, Any]:
    try:
        return dict(json.load(error))
    except ValueError:
        return {}


def curl_line(base_url: str, key: str, message: str) -> str:
    """A line to paste into a shell; the body needs no escaping beyond its quotes."""
    body = predict_body(message).replace("'", "'\\''")
    return (
        f"curl -s {predict_url(base_url)} -H 'Authorization: Bearer {key}' "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )
