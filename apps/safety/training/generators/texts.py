"""Loading written frames and fillers, kept as text so that anyone can review them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Lines = tuple[str, ...]
FOLDER = Path(__file__).resolve().parent / "texts"


@dataclass(frozen=True)
class Topic:
    """What people bring to a supporter, with replies that help and ones that harm."""

    name: str
    turns: Lines
    good: Lines
    bad: Lines


@dataclass(frozen=True)
class Texts:
    """``frames`` are sentences with {slots}; ``slots`` what may fill them."""

    frames: Mapping[str, Lines]
    slots: Mapping[str, Lines]
    topics: tuple[Topic, ...]


def load_texts(name: str) -> Texts:
    """The frames, slots and topics of ``texts/<name>.toml``."""
    content = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    topics = tuple(
        Topic(key, tuple(t["turns"]), tuple(t["good"]), tuple(t["bad"]))
        for key, t in content.get("topics", {}).items()
    )
    frames = {key: tuple(lines) for key, lines in content.get("frames", {}).items()}
    slots = {key: tuple(lines) for key, lines in content.get("slots", {}).items()}
    return Texts(frames, slots, topics)
