"""Identifiers known by the words before them: record, plan, account, licence numbers.

A value with digits means nothing alone; the nearest cue before it says what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from apps.safety.gates.identifiers.found import Identifier

_VALUE = re.compile(r"(?<![\w@.])#?(?=[A-Za-z-]{0,12}\d)[A-Za-z0-9][\w-]{2,28}(?!\w)")
_REACH = 48
# Words that follow a more telling cue as often as they lead alone.
_GENERIC = frozenset({"number", "id", "identification", "contact", "call me"})
_LINK = re.compile(
    r"^(?:\s|[:#=,('\"-]|number|numbers|num|no\b\.?|nr|is|was|are|as|id|code|under|"
    r"with|of|the|my|your|his|her|for|reads?|ending|in|listed|called|card|"
    r"account|policy|it's|its|which|plates?|has|been|to|and|on|file|value|changed|"
    r"from)*$",
    re.I,
)

_CUES: tuple[tuple[str, float, str], ...] = (
    ("MRN", 0.9, r"\bmrn\b|medical record|patient (?:id|number|no|identifier)|"
     r"\bchart\b|hospital (?:id|number)|record (?:number|no|id)|\bnhs\b|case (?:id|"
     r"number)"),
    ("HEALTH_PLAN_ID", 0.88, r"insurance|member id|\bmember\b|subscriber|policy|"
     r"medicare|medicaid|health ?plan|beneficiary|group (?:id|number)|\bclaim\b"),
    ("SSN", 0.92, r"\bssns?\b|social security|\bsocial\b|national insurance|\bsin\b|"
     r"tax ?(?:payer)? ?id|\btin\b|\bitin\b|\bpan\b|aadhaa?r|national id"),
    ("PASSPORT", 0.9, r"passport"),
    ("DRIVER_LICENSE", 0.88, r"driv(?:er|ing)'?s? licen[cs]e|\bdl\b|\blicen[cs]e"
     r"(?! plate)|\bpermit\b"),
    ("VEHICLE", 0.85, r"licen[cs]e plate|number plate|\bplates?\b|registration|\bvin\b|"
     r"vehicle"),
    ("ACCOUNT", 0.88, r"account|\bacct\b|routing|sort code|\bswift\b|\bbic\b|bank|"
     r"\biban\b|customer (?:id|number)|employee (?:id|number)|student (?:id|number)|"
     r"\bbadge\b|\bvoter\b|tribal id|user ?id|order (?:number|no|id)|reference|"
     r"confirmation|booking|ticket"),
    ("PROVIDER_ID", 0.85, r"\bnpi\b|\bdea\b|provider (?:id|number)"),
    ("DEVICE_ID", 0.85, r"serial|\bimei\b|device|pacemaker|implant|\bmac\b"),
    ("CREDIT_CARD", 0.8, r"credit card|debit card|card number|\bcvv\b|\bvisa\b|"
     r"mastercard|\bamex\b|american express|\bcard\b"),
    ("PHONE", 0.8, r"phone|\bcell\b|mobile|\btel\b|telephone|\bfax\b|call (?:me|him|"
        r"her|"
     r"us|back)|\btext\b|whatsapp|reach (?:me|him|her|us)|\bnumber\b|contact"),
    ("ZIP_CODE", 0.82, r"\bzip\b|zip ?code|postal|postcode|post code"),
    ("PASSWORD", 0.88, r"password|passcode|\bpin\b|passwd|\bpwd\b|passphrase|\botp\b"),
    ("ID", 0.75, r"\bid\b|identification|identifier|certificate"),
)  # fmt: skip
_COMPILED = tuple(
    (kind, confidence, re.compile(pattern, re.I)) for kind, confidence, pattern in _CUES
)
_PASSWORD = re.compile(
    r"\b(?:password|passcode|passwd|pwd|passphrase)\b(?:\s(?:is|was|for \w+ is)|"
    r"\s?[:=])"
    r"\s{0,2}['\"]?([^\s'\",]{4,40})", re.I
)  # fmt: skip
_USERNAME = re.compile(
    r"\b(?:username|user name|user|handle|screen ?name|gamertag|login|insta(?:gram)?|"
    r"snap(?:chat)?|discord|telegram|tiktok|twitter|skype|kik|venmo|reddit)\b"
    r"(?:\s(?:is|as|me at|at|handle is|name is|id is|on)|\s?[:=])\s{0,2}@?"
    r"([A-Za-z0-9_.#-]{3,30})", re.I
)  # fmt: skip
_PLAIN_WORDS = re.compile(
    r"^(?:the|my|a|an|not|is|was|very|really|too|so|for|to|it|and|in|on|reset|"
    r"protected|"
    r"manager|bad|good|down|fun|toxic|full|that|this|all|here|there|what|just|"
    r"[a-z]{3,5})$",
    re.I,
)


def cued(text: str, *, has_digit: bool) -> Iterator[Identifier]:
    """Finds by cue."""
    for pattern, kind in ((_PASSWORD, "PASSWORD"), (_USERNAME, "USERNAME")):
        for match in pattern.finditer(text):
            if not _PLAIN_WORDS.match(match.group(1)):
                yield Identifier(*match.span(1), kind, 0.75)
    if not has_digit:
        return
    for match in _VALUE.finditer(text):
        found = _by_cue(text, match)
        if found is not None:
            yield found


def _by_cue(text: str, match: re.Match[str]) -> Identifier | None:
    value = match.group().lstrip("#")
    if sum(char.isdigit() for char in value) < 3:
        return None
    before = text[max(0, match.start() - _REACH) : match.start()]
    best: tuple[bool, bool, int] = (False, False, -1)
    kind, confidence = "", 0.0
    for cue_kind, strength, pattern in _COMPILED:
        for cue in pattern.finditer(before):
            links = _LINK.match(before[cue.end() :]) is not None
            rank = (links, cue.group().lower() not in _GENERIC, cue.end())
            if rank > best:
                best, kind, confidence = rank, cue_kind, strength
    if not kind:
        return None
    if not best[0]:
        confidence *= 0.5
    if len(value) < 5 and kind not in {"PASSWORD", "CREDIT_CARD", "ZIP_CODE"}:
        confidence *= 0.6
    start = match.end() - len(value)
    return Identifier(start, match.end(), kind, confidence)
