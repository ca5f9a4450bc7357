"""User names and passwords, known by the words that announce them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from apps.safety.gates.identifiers.found import Identifier

_PASSWORD = re.compile(
    r"\b(?:password|passcode|passwd|pwd|passphrase)\b(?:\s(?:is|was|for \w+ is)\b|"
    r"\s?[:=]|(?=\s['\"])|(?=\s[^\s'\",]{0,40}[\d@#$!*]))"
    r"\s{0,2}['\"]?([^\s'\",]{4,40})", re.I
)  # fmt: skip
_SERVICE = (
    r"(?:username|user ?name|user ?id|user|handle|screen ?name|gamertag|login|"
    r"nick(?:name)?|insta(?:gram)?|snap(?:chat)?|discord|telegram|tiktok|twitter|skype|kik|venmo|"
    r"reddit|xbox|psn|steam|twitch|tumblr|signal)"
)
_USERNAME = re.compile(
    rf"\b{_SERVICE}\b(?:(?:\s(?:there|here|on the [\w ]{{3,20}}|name|id|handle))?"
    r"(?:\s(?:is|was|as|are|me at|at|on)\b|\s?[:=])|\s(?=@))\s{0,2}@?"
    r"([A-Za-z0-9_.#-]{3,30})", re.I
)  # fmt: skip
# Without "is" or a colon the name itself must look like one: digits, marks, capitals.
_SHAPED = (
    r"(?=[A-Za-z_]{0,30}(?:[\d_]|\.\w|(?-i:[a-z][A-Z])))[A-Za-z][\w.#-]{2,29}(?<![.-])"
)
_BESIDE = re.compile(
    rf"\b(?:{_SERVICE}|account|posted by|created by|follow(?:ed)?|ask|"
    rf"sign(?:ed)? in as|password (?:of|for)|log(?:ged)? in as|me at|"
    rf"add|by|to|reply to|admin(?: is)?|snap me|dm|pm|me as|i'm|im|are|as)\s"
    rf"({_SHAPED})", re.I
)  # fmt: skip
_GAMERTAG = re.compile(r"\bgamertag\s([A-Za-z][\w.-]{3,29}(?<![.-]))", re.I)
_ACCOUNTED = re.compile(
    rf"({_SHAPED})\s(?:on (?:insta|snap|discord|xbox|psn|steam|twitch|reddit|kik)|"
    r"(?:posted|followed you)\b)", re.I
)  # fmt: skip
_PLAIN_WORDS = re.compile(
    r"^(?:the|my|a|an|not|is|was|very|really|too|so|for|to|it|and|in|on|reset|"
    r"protected|manager|bad|good|down|fun|toxic|full|that|this|all|here|there|what|"
    r"just|with|from|page|screen|attempts?|error|button|wrong|broken|locked|deleted|"
    r"[a-z]{3,5})$",
    re.I,
)
_ANNOUNCES = (
    "user", "handle", "screen", "gamertag", "login", "nick", "insta", "snap", "discord",
    "telegram", "tiktok", "twitter", "skype", "kik", "venmo", "reddit", "xbox", "psn",
    "steam", "twitch", "tumblr", "signal",
)  # fmt: skip
_INNER = re.compile(r"[A-Za-z][\d_]|[a-z][A-Z]|[a-z]\.[a-z]")
_KNOWN_FORM = re.compile(r"^[A-Z]{1,6}[\d-]+\w{0,3}$|^\w{1,3}\d{0,3}$|^[A-Z]\w*[A-Z]$")


def handles(text: str) -> Iterator[Identifier]:
    """Finds by the words before or after."""
    lowered = text.lower()
    if "pass" in lowered or "pwd" in lowered:
        yield from _taken(_PASSWORD, text, "PASSWORD")
    if any(word in lowered for word in _ANNOUNCES):
        yield from _taken(_USERNAME, text, "USERNAME")
    if "gamertag" in lowered:
        yield from _taken(_GAMERTAG, text, "USERNAME")
    if _INNER.search(text):
        for pattern in (_BESIDE, _ACCOUNTED):
            for match in pattern.finditer(text):
                if not _KNOWN_FORM.match(match.group(1)):
                    yield Identifier(*match.span(1), "USERNAME", 0.6)


def _taken(pattern: re.Pattern[str], text: str, kind: str) -> Iterator[Identifier]:
    for match in pattern.finditer(text):
        if not _PLAIN_WORDS.match(match.group(1)):
            yield Identifier(*match.span(1), kind, 0.75)
