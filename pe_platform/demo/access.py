"""An API key, and the two requests that a program would send."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from apps.accounts.models import ApiKey, Tier, User
from apps.accounts.services import issue_key
from apps.core.errors import Unavailable
from pe_platform.demo.cast import KEY_NAME, LOCALE, MODEL, OPERATOR, TIER
from pe_platform.demo.people import acting

SCOPES = ("inference:predict", "inference:read", "models:read")


def issue_demo_key() -> str:
    """A key owned by the operator; its text is shown now and never again."""
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
    """Send one message as a program would; Unavailable when nothing answers."""
    request = urllib.request.Request(  # noqa: S310 - the launcher's own address
        predict_url(base_url),
        data=predict_body(message).encode(),
        headers={
            "Authorization": f"Bearer {raw_key}",
            "Content-Type": "application/json",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return Answer(response.status, json.load(response))
    except urllib.error.HTTPError as error:
        return Answer(error.code, json.load(error))
    except OSError as error:
        raise Unavailable(f"{base_url} does not answer: is it running?") from error


def curl_line(base_url: str, key: str, message: str) -> str:
    """A line to paste into a shell; the body needs no escaping beyond its quotes."""
    body = predict_body(message).replace("'", "'\\''")
    return (
        f"curl -s {predict_url(base_url)} -H 'Authorization: Bearer {key}' "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )
