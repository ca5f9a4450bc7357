"""A signed webhook to a paging service, after Standard Webhooks 1.0.

Headers: ``webhook-id`` (the same when a notice is sent again, so that a receiver can
drop repeats), ``webhook-timestamp`` (Unix seconds) and ``webhook-signature``, which is
``v1,`` and the base64 of HMAC-SHA256 over ``{id}.{timestamp}.{body}``. The body is a
CloudEvents 1.0 event. Redirects are not followed and proxies of the environment not
used: a notice goes where the settings say or nowhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import json
import time

import httpx
from django.conf import settings
from django.utils import timezone

from apps.safety.channels.base import Channel, ChannelFailed, Notice

SECRET_MARK = "whsec_"  # noqa: S105 - the mark of a secret, not one
EVENT_TYPE = "org.pixelatedempathy.escalation.waits"
SECONDS = httpx.Timeout(5.0)


class WebhookChannel(Channel):
    name = "webhook"

    def is_configured(self) -> bool:
        return bool(settings.PE_ESCALATION_WEBHOOK_URL)

    def send(self, notice: Notice, address: str) -> str:
        url = str(settings.PE_ESCALATION_WEBHOOK_URL)
        if not is_safe_url(url):
            raise ChannelFailed("url_refused")
        body = event_body(notice)
        headers = signed_headers(notice.id, body, int(time.time()))
        try:
            with (
                httpx.Client(timeout=SECONDS, trust_env=False) as client,
                client.stream("POST", url, content=body, headers=headers) as answer,
            ):
                status = answer.status_code
        except httpx.TimeoutException as error:
            raise ChannelFailed("timeout") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ChannelFailed(type(error).__name__) from error
        if not httpx.codes.is_success(status):
            raise ChannelFailed(str(status))
        return str(status)


def event_body(notice: Notice) -> bytes:
    """The CloudEvents 1.0 JSON of a notice; holds no words of a person."""
    event = {
        "specversion": "1.0",
        "type": EVENT_TYPE,
        "source": "/safety/escalations",
        "id": notice.id,
        "subject": notice.escalation_id,
        "time": timezone.now().isoformat(),
        "datacontenttype": "application/json",
        "data": notice.as_json(),
    }
    return json.dumps(event, separators=(",", ":")).encode()


def signed_headers(message_id: str, body: bytes, timestamp_s: int) -> dict[str, str]:
    """The three Standard Webhooks headers and the content type."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    mac = hmac.new(
        secret_bytes(str(settings.PE_ESCALATION_WEBHOOK_SECRET)), signed, hashlib.sha256
    )
    return {
        "content-type": "application/cloudevents+json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": "v1," + base64.b64encode(mac.digest()).decode(),
    }


def secret_bytes(secret: str) -> bytes:
    """``whsec_`` and base64, as Standard Webhooks writes secrets, or plain text.

    Raises ChannelFailed for an empty one: an unsigned page could be anybody's.
    """
    if not secret:
        raise ChannelFailed("no_secret")
    if not secret.startswith(SECRET_MARK):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(SECRET_MARK), validate=True)
    except binascii.Error as error:
        raise ChannelFailed("bad_secret") from error


def is_safe_url(url: str) -> bool:
    """Whether it is https, or plain http to this machine."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    if parsed.scheme == "https":
        return bool(parsed.host)
    return parsed.scheme == "http" and _is_loopback(parsed.host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
