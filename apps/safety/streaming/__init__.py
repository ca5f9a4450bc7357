"""Releases generated text piece by piece, each only once it has been checked."""

from apps.safety.streaming.contracts import (
    Ending,
    Event,
    Frame,
    Limits,
    Released,
    Stop,
    StopReason,
)
from apps.safety.streaming.screened import screened
from apps.safety.streaming.stream import OutputStream

__all__ = [
    "Ending",
    "Event",
    "Frame",
    "Limits",
    "OutputStream",
    "Released",
    "Stop",
    "StopReason",
    "screened",
]
