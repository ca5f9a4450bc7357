"""In which language a person is answered, and whether only the language was in the way.

A message in a language that a gate does not know keeps the gate's failure decision; the
words that come back are kind ones, approved for that language, with contacts. Nothing
here makes a decision looser or names a country that nobody named.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from apps.safety.contracts import Decision, Verdict
from apps.safety.languages.identify import ENGLISH, UNKNOWN, languages_of

LANGUAGE = "language_unsupported"


def answer_locale(locale: str, text: str, known: Collection[str]) -> str:
    """The locale to answer in: the text's own language where ``known`` texts have it.

    A country is kept from the locale, never guessed: Spanish under ``en-US`` is
    answered as ``es-US`` where that is known, under ``en`` as ``es``.
    """
    found = languages_of(text) - {ENGLISH, UNKNOWN}
    primary, _, country = locale.replace("_", "-").partition("-")
    if len(found) != 1 or primary.lower() in found:
        return locale
    (language,) = found
    exact = f"{language}-{country.upper()}"
    return next((one for one in (exact, language) if one in known), locale)


def is_only_language(decision: Decision, verdicts: Iterable[Verdict]) -> bool:
    """Whether a stage was stopped by unknown language alone and by no sign of anything.

    Then the person is told so, instead of being answered as if in danger.
    """
    speaking = [verdict for verdict in verdicts if verdict.decision is decision]
    stopped = decision >= Decision.BLOCK and bool(speaking)
    return stopped and all(_is_unread(verdict) for verdict in speaking)


def _is_unread(verdict: Verdict) -> bool:
    reason = f"{verdict.gate}.{LANGUAGE}"
    if not verdict.failed or verdict.reasons[-1:] != (reason,):
        return False
    if verdict.decision is not Decision.ESCALATE:
        return True
    return (
        verdict.score is not None
        and verdict.threshold is not None
        and verdict.score < verdict.threshold
    )
