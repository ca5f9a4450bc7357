"""The facts of a case before it is a row: what the spool keeps and the service writes.

Frozen, and complete without the database: a case that the database could not take is
opened later from these facts alone.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from apps.core.digests import keyed_digest
from apps.core.errors import IntegrityFailure
from apps.safety.contracts import RiskLevel


def text_digest(text: str) -> str:
    """A keyed digest that names a text without telling it; total over any ``str``."""
    key = str(settings.PE_TEXT_DIGEST_KEY).encode()
    return keyed_digest(key, text.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """One detected risk. ``minutes`` is the policy's time to acknowledge.

    ``text`` is what the person said: it is sealed before it touches a disk, and empty
    where none is to be kept. ``subject`` names whose key seals it; empty when the
    program did not say who the person is.
    """

    correlation_id: uuid.UUID
    level: RiskLevel
    locale: str
    reasons: tuple[str, ...]
    digest: str
    policy_digest: str
    minutes: int
    happened_at: datetime
    text: str = ""
    subject: str = ""

    def to_bytes(self) -> bytes:
        """JSON; ASCII, so that any ``str`` survives, lone surrogates too."""
        return json.dumps(
            {
                "correlation_id": str(self.correlation_id),
                "level": self.level.value,
                "locale": self.locale,
                "reasons": list(self.reasons),
                "digest": self.digest,
                "policy_digest": self.policy_digest,
                "minutes": self.minutes,
                "happened_at": self.happened_at.isoformat(),
                "text": self.text,
                "subject": self.subject,
            }
        ).encode("ascii")

    @classmethod
    def from_bytes(cls, content: bytes) -> CaseFacts:
        """The facts that ``to_bytes`` wrote; IntegrityFailure for anything else."""
        try:
            # Any: JSON of our own, narrowed by the constructors below.
            given: Any = json.loads(content)
            return cls(
                correlation_id=uuid.UUID(given["correlation_id"]),
                level=RiskLevel(given["level"]),
                locale=str(given["locale"]),
                reasons=tuple(map(str, given["reasons"])),
                digest=str(given["digest"]),
                policy_digest=str(given["policy_digest"]),
                minutes=int(given["minutes"]),
                happened_at=datetime.fromisoformat(given["happened_at"]),
                text=str(given["text"]),
                # Absent from what was spooled before people had keys.
                subject=str(given.get("subject", "")),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityFailure(
                "A kept case is not in the form we write."
            ) from error
