"""The structured log: always there, and read only by those who watch logs."""

from __future__ import annotations

import logging

from apps.safety.channels.base import Channel, Notice

logger = logging.getLogger(__name__)


class LogChannel(Channel):
    name = "log"
    reaches_people = False

    def is_configured(self) -> bool:
        return True

    def send(self, notice: Notice, address: str) -> str:
        logger.warning(
            "escalation_notified",
            extra={"escalation": notice.escalation_id, "channel": self.name},
        )
        return "logged"
