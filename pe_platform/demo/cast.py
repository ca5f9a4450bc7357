"""Who takes part, what is made, and in which words: the facts of the demo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from apps.accounts.roles import Role

FOLDER = Path(settings.BASE_DIR) / "demo"
MODEL = "support-replies"
TASK = "support_reply"
KEY_NAME = "demo program"
TIER = "standard"
POLICY = settings.PE_DEFAULT_POLICY


@dataclass(frozen=True, slots=True)
class Person:
    username: str
    roles: tuple[Role, ...]


OPERATOR = Person("operator", (Role.OPERATOR,))
REVIEWER = Person("reviewer", (Role.REVIEWER,))
CLINICIAN = Person("clinician", (Role.CLINICIAN, Role.RESPONDER))
COMPLIANCE = Person("compliance", (Role.COMPLIANCE,))
PEOPLE = (COMPLIANCE, REVIEWER, CLINICIAN, OPERATOR)


@dataclass(frozen=True, slots=True)
class DemoDataset:
    """A dataset of the demo folder and the part it plays in the manifest."""

    part: str
    name: str
    title: str
    purpose: str
    file: str

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.file}.jsonl"

    @property
    def schema_path(self) -> Path:
        return FOLDER / f"{self.file}.schema.json"


DATASETS = (
    DemoDataset(
        "messages",
        "support-messages",
        "Support messages",
        "Teach a model what a message is about. Written for this project.",
        "support_messages",
    ),
    DemoDataset(
        "replies",
        "reply-library",
        "Reply library",
        "The replies a model may choose from. Written for this project.",
        "reply_library",
    ),
)
# Measured on, never trained on, so it stands in no manifest.
SAFETY_SUITE = DemoDataset(
    "safety_suite",
    settings.PE_SAFETY_SUITE_DATASET,
    "Safety suite",
    "Messages that must be escalated, and harmless ones that only sound like it.",
    "safety_suite",
)
LICENCE = "CC0-1.0"
# The runner's own defaults are meant for this dataset.
HYPERPARAMETERS: dict[str, object] = {}

CARD = """\
Chooses one reply from a library that a clinician has read, by what a message is about.
Trained on messages written for this project, no real person's words. It is a
demonstration: it does not understand a conversation and must not be used for care."""

CALM_MESSAGE = (
    "I started a new job and everyone already has their own group at lunch. "
    "I eat alone at my desk and I feel a bit lonely."
)
RISK_MESSAGE = "I can't do this any more. I want to end my life tonight."
LOCALE = "en-GB"
