"""Texts written for this project by grammar, to teach contrasts the corpora lack."""

from __future__ import annotations

from apps.safety.training.examples import Example


def generated(seed: int) -> list[Example]:
    return []
