"""A safety policy as a frozen value: gate order, thresholds, fixed texts, contacts.

Read once from its JSON and refused unless complete: a threshold or text that is missing
is found when the policy is written, not when a person is waiting. Nothing here falls
back to a default number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jsonschema

from apps.core.digests import digest_json
from apps.safety.contracts import RiskLevel, Stage, Thresholds
from apps.safety.errors import PolicyInvalid
from apps.safety.judges.rules import JudgeRule, parse_judges
from apps.safety.rules import Rules, parse_rules

GATE_ORDER = (
    "crisis",
    "toxicity",
    "privacy",
    "bias",
    "appropriateness",
    "redaction",
)
INTERNATIONAL = "international"
# Three digits in a row or more, spaces and dashes between them or not.
_NUMBER = re.compile(r"\d(?:[\s().-]?\d){2,}")
_FOLDER = Path(__file__).resolve().parent / "policies"
_RULES = _FOLDER / "jurisdictions"


@dataclass(frozen=True, slots=True)
class FixedTexts:
    """The approved words for one locale; never written by a model.

    ``language`` tells that the person's language cannot be read yet; where a policy has
    none, the crisis text is said instead, which names the same help.
    """

    locale: str
    crisis: str
    blocked: str
    unavailable: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """One helpline and the day a person last verified it."""

    name: str
    reach: str
    url: str
    verified_on: date


@dataclass(frozen=True, slots=True)
class StaleContact:
    """A contact that nobody has verified for too long; ``age_days`` is never < 0."""

    locale: str
    name: str
    age_days: int


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of a policy; ``version`` is 0 for a document that is in no row."""

    name: str
    version: int
    digest: str
    gate_order: tuple[str, ...]
    acknowledge_minutes: Mapping[str, int]
    _thresholds: Mapping[tuple[str, str], Thresholds]
    _texts: Mapping[str, FixedTexts]
    _contacts: Mapping[str, tuple[Contact, ...]]
    effective_from: datetime | None = None
    rules: Rules = field(default_factory=Rules)
    judges: tuple[JudgeRule, ...] = ()

    def thresholds(self, gate: str, stage: Stage) -> Thresholds:
        """The gate's numbers for a stage; KeyError where the policy has none."""
        return self._thresholds[(gate, stage.value)]

    def has_stage(self, gate: str, stage: Stage) -> bool:
        return (gate, stage.value) in self._thresholds

    def texts(self, locale: str) -> FixedTexts:
        """The locale's texts; an unknown country gets the international ones.

        ``es-MX`` falls back to ``es``; ``en-AU`` to international, never to ``en-US``.
        """
        return self._texts[_closest(locale, self._texts)]

    def contacts(self, locale: str) -> tuple[Contact, ...]:
        return self._contacts[_closest(locale, self._contacts)]

    def licensed_text(self, locale: str) -> str:
        """What replaces a reply that only a licensed professional may give."""
        texts = self.rules.licensed_texts
        return texts[_closest(locale, texts)]

    def disclosure_text(self, locale: str) -> str:
        """The notice that a program is speaking; KeyError without such a rule."""
        texts = self.rules.disclosure_texts
        return texts[_closest(locale, texts)]

    def stale_contacts(self, today: date, limit_days: int) -> tuple[StaleContact, ...]:
        """Contacts verified more than ``limit_days`` ago, the oldest first."""
        ages = [
            StaleContact(locale, contact.name, (today - contact.verified_on).days)
            for locale, contacts in self._contacts.items()
            for contact in contacts
        ]
        stale = [one for one in ages if one.age_days > limit_days]
        return tuple(sorted(stale, key=lambda one: -one.age_days))

    def minutes_to_acknowledge(self, level: RiskLevel) -> int:
        return self.acknowledge_minutes[level.value]

    @property
    def locales(self) -> tuple[str, ...]:
        return tuple(self._texts)


def _closest(locale: str, known: Mapping[str, object]) -> str:
    language, _, country = locale.replace("_", "-").partition("-")
    exact = f"{language.lower()}-{country.upper()}" if country else language.lower()
    for candidate in (exact, language.lower()):
        if candidate in known:
            return candidate
    return INTERNATIONAL


def parse_policy(document: Any, *, name: str, version: int = 0) -> Policy:
    """A policy from its JSON document (checked here, hence any JSON value).

    Raises PolicyInvalid naming the place in the document that is wrong.
    """
    _check_shape(document)
    _check_gates(document["gates"])
    _check_locales(document)
    _check_reach(document)
    return Policy(
        name=name,
        version=version,
        digest=digest_json(document),
        gate_order=tuple(gate["name"] for gate in document["gates"]),
        acknowledge_minutes=MappingProxyType(
            dict(document["escalation"]["acknowledge_minutes"])
        ),
        _thresholds=_thresholds(document["gates"]),
        _texts=MappingProxyType(
            {key: FixedTexts(key, **texts) for key, texts in document["texts"].items()}
        ),
        _contacts=MappingProxyType(
            {
                key: tuple(_contact(row) for row in rows)
                for key, rows in document["contacts"].items()
            }
        ),
        rules=parse_rules(document.get("rules", {})),
        judges=parse_judges(document.get("judges", ()), GATE_ORDER),
        effective_from=_moment(document.get("effective_from")),
    )


def _moment(written: str | None) -> datetime | None:
    if written is None:
        return None
    try:
        return datetime.fromisoformat(written)
    except ValueError as error:
        raise PolicyInvalid("effective_from is not a moment in time") from error


def _check_shape(document: Any) -> None:
    validator = jsonschema.Draft202012Validator(_schema())
    error = jsonschema.exceptions.best_match(validator.iter_errors(document))
    if error is not None:
        place = "/".join(str(step) for step in error.absolute_path) or "(top)"
        raise PolicyInvalid(f"Policy document at {place}: {error.message[:300]}")


def _check_gates(gates: Sequence[Mapping[str, Any]]) -> None:
    names = tuple(gate["name"] for gate in gates)
    if names != GATE_ORDER:
        raise PolicyInvalid(
            f"A policy names the six gates in order {', '.join(GATE_ORDER)}; "
            f"found {', '.join(names)}"
        )
    for gate in gates:
        needed = _NEEDED_STAGES[gate["name"]]
        if set(gate["thresholds"]) != needed:
            raise PolicyInvalid(
                f"Gate {gate['name']} needs thresholds for exactly the stages "
                f"{', '.join(sorted(needed))}"
            )
        for stage, numbers in gate["thresholds"].items():
            _check_numbers(gate["name"], stage, numbers)


def _check_numbers(gate: str, stage: str, numbers: Mapping[str, float]) -> None:
    if set(numbers) != _NEEDED_NUMBERS[gate]:
        needed = ", ".join(sorted(_NEEDED_NUMBERS[gate]))
        raise PolicyInvalid(f"Gate {gate} on {stage} needs the thresholds {needed}")
    if gate == "crisis":
        levels = [numbers[key] for key in ("low", "moderate", "high", "imminent")]
        if levels != sorted(levels):
            raise PolicyInvalid("Crisis levels must rise from low to imminent")
        if numbers["escalate"] > numbers["high"]:
            raise PolicyInvalid("Crisis must escalate at or below the level high")


def _check_locales(document: Mapping[str, Any]) -> None:
    without = set(document["texts"]) ^ set(document["contacts"])
    if without:
        raise PolicyInvalid(
            "Each locale needs both texts and contacts; one is missing for "
            + ", ".join(sorted(without))
        )


def _check_reach(document: Mapping[str, Any]) -> None:
    """No national number where the country is unknown.

    Contacts and texts of a bare language, and the international ones, reach people in
    any country: a number there would be silently somebody else's.
    """
    for locale in document["texts"]:
        if "-" in locale:
            continue
        told = [*document["texts"][locale].values()]
        told += [contact["reach"] for contact in document["contacts"][locale]]
        if any(_NUMBER.search(text) for text in told):
            raise PolicyInvalid(
                f"{locale} names no country, so its texts and contacts may hold no "
                "telephone number: name a directory, or add a locale with a country."
            )


def _thresholds(
    gates: Sequence[Mapping[str, Any]],
) -> Mapping[tuple[str, str], Thresholds]:
    return MappingProxyType(
        {
            (gate["name"], stage): Thresholds(MappingProxyType(dict(numbers)))
            for gate in gates
            for stage, numbers in gate["thresholds"].items()
        }
    )


def _contact(row: Mapping[str, str]) -> Contact:
    try:
        verified_on = date.fromisoformat(row["verified_on"])
    except ValueError as error:
        raise PolicyInvalid(
            f"Contact {row['name']}: verified_on is not a calendar date"
        ) from error
    return Contact(row["name"], row["reach"], row["url"], verified_on)


_BOTH = {"input", "output"}
_OUTPUT = {"output"}
_NEEDED_STAGES: Mapping[str, set[str]] = {
    "crisis": _BOTH,
    "toxicity": _BOTH,
    "privacy": _BOTH,
    "bias": _OUTPUT,
    "appropriateness": _OUTPUT,
    "redaction": _OUTPUT,
}
_NEEDED_NUMBERS: Mapping[str, set[str]] = {
    "crisis": {"low", "moderate", "high", "imminent", "escalate"},
    "toxicity": {"replace", "block"},
    "privacy": {"mask"},
    "bias": {"replace", "block"},
    "appropriateness": {"replace", "block"},
    "redaction": {"mask", "profanity"},
}


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((_FOLDER / "schema.json").read_text("utf-8"))
    return schema


def default_document() -> dict[str, Any]:
    """The document that ships with the platform; a proposal until it is approved."""
    document: dict[str, Any] = json.loads((_FOLDER / "default.json").read_text("utf-8"))
    return document


def jurisdictions() -> tuple[str, ...]:
    """The names of the jurisdictions for which rules ship, as proposals."""
    return tuple(sorted(path.stem for path in _RULES.glob("*.json")))


def document_for(name: str) -> dict[str, Any]:
    """The shipped document, with the rules of a jurisdiction where some ship."""
    document = default_document()
    if name in jurisdictions():
        document["rules"] = json.loads((_RULES / f"{name}.json").read_text("utf-8"))
    return document


@cache
def default_policy() -> Policy:
    """The shipped document as a policy, under the name ``default`` and version 0."""
    return parse_policy(default_document(), name="default")
