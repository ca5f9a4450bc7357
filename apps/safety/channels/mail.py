"""E-mail to each responder, through whatever backend Django is given."""

from __future__ import annotations

from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage

from apps.safety.channels.base import Channel, ChannelFailed, Notice

BODY = """A case waits on the crisis desk.

Case:           {escalation_id}
Level:          {level} (a screening signal, not a diagnosis)
Locale:         {locale}
Told:           {audience}
Acknowledge by: {due_at}

{url}

This message holds nothing of what the person said. Do not reply to it.
"""


class MailChannel(Channel):
    name = "email"
    to_each = True

    def is_configured(self) -> bool:
        return bool(settings.PE_MAIL_IS_CONFIGURED)

    def send(self, notice: Notice, address: str) -> str:
        message = EmailMessage(
            subject=f"[{notice.level}] crisis case {notice.escalation_id[:8]} waits",
            body=BODY.format(**notice.as_json()),
            from_email=settings.DEFAULT_FROM_EMAIL,
            to=[address],
            headers={"Auto-Submitted": "auto-generated"},
        )
        try:
            sent = message.send(fail_silently=False)
        except (SMTPException, OSError, ValueError) as error:
            # ValueError: an address or a header that cannot be one.
            raise ChannelFailed(type(error).__name__) from error
        if sent != 1:
            raise ChannelFailed("not_taken")
        return "accepted"
