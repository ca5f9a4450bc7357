"""What every channel promises, and the notice it is given.

A notice has no field that could hold a person's words: identifiers, a grade, a locale,
times and a link to the desk, where permission is asked for again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from apps.core.errors import Unavailable


class ChannelFailed(Unavailable):
    """The channel did not take the notice; ``status`` is kept in the delivery log.

    ``status_text`` is a code such as ``503`` or ``timeout``, at most 60 characters.
    """

    code = "channel_failed"
    title = "Notification channel failed"

    def __init__(self, status_text: str) -> None:
        super().__init__(f"The channel did not take the notice: {status_text}.")
        self.status_text = status_text[:60]


@dataclass(frozen=True, slots=True)
class Notice:
    """One message about one case. ``id`` stays the same when it is sent again."""

    id: str
    escalation_id: str
    level: str
    locale: str
    audience: str
    opened_at: datetime
    due_at: datetime
    url: str

    def as_json(self) -> dict[str, str]:
        """The members that leave the platform; times are ISO 8601 in UTC."""
        return {
            "escalation_id": self.escalation_id,
            "level": self.level,
            "locale": self.locale,
            "audience": self.audience,
            "opened_at": self.opened_at.isoformat(),
            "due_at": self.due_at.isoformat(),
            "url": self.url,
        }


class Channel(ABC):
    """Sends one notice, once, inside its own time limit.

    ``to_each`` channels send to each responder's address; others send once for a case
    and rung. ``reaches_people`` is False where nobody is sure to look.
    """

    name: ClassVar[str] = ""
    to_each: ClassVar[bool] = False
    reaches_people: ClassVar[bool] = True

    @abstractmethod
    def is_configured(self) -> bool:
        """Whether settings give this channel what it needs; no network is used."""

    @abstractmethod
    def send(self, notice: Notice, address: str) -> str:
        """A short status, such as ``202``. Raises ChannelFailed.

        ``address`` is a responder's e-mail address for ``to_each``, empty otherwise.
        """
