"""Identifiers known by the words beside them: record, plan, account, licence numbers.

A value with digits means nothing alone; the nearest telling cue before it says what it
is, or one right after it ("22326, that's my zip code").
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from apps.safety.gates.identifiers.found import Identifier

_VALUE = re.compile(
    # Groups of capitals and digits, as on number plates: "W-ZT 3788", "604 AMS".
    r"(?<![\w@.])(?=[A-Z -]{0,6}\d)[A-Z0-9]{1,4}(?:-[A-Z0-9]{1,4})?"
    r"(?:[ ](?!(?:DOB|MRN|SSN|NPI|ID|DL|I|A)\b)[A-Z0-9]{1,4}){1,5}(?![\w-])"
    r"|(?<![\w@.])#?(?=[A-Za-z-]{0,12}\d)[A-Za-z0-9](?:[\w-]|\.(?=\w)){2,28}(?!\w)"
)
_REACH = 48
# Words that follow a more telling cue as often as they lead alone.
_GENERIC = frozenset({"number", "id", "identification", "contact", "call me"})
_LINK = re.compile(
    r"(?:[\s:#=,.('\"?-]|(?:number|numbers|numer|numbr|num|no|nr|is|was|are|as|id|"
    r"code|under|with|of|the|my|your|his|her|for|reads?|ending|in|listed|called|card|"
    r"account|policy|it's|its|which|plates?|has|been|to|and|on|file|value|changed|"
    r"from|issued|new|scan|template|stored|record|i|we|out|says|shows|caller|please|patient|"
    r"driver|traveller|identifier|address|s|number's|[\w-]{0,12}\d[\w-]{0,16})\b)*$",
    re.I,
)

_CUES: tuple[tuple[str, float, str], ...] = (
    ("MRN", 0.9, r"\bmrn|medical (?:record|file)|patient (?:identifier|id|number|no)|"
     r"\bchart\b|hospital (?:id|number)|records? (?:number|no|id)|merge records|"
     r"\bnhs\b|case (?:id|number)|(?<=regarding )patient"),
    ("HEALTH_PLAN_ID", 0.88, r"insurance|insurer|member id|\bmember\b|subscriber|"
     r"policy|medicare|medicaid|health ?plan|beneficiary|group (?:id|number)|"
     r"\bgroup\b(?=\s?[:#])|\bclaim\b"),
    ("SSN", 0.92, r"\bssns?\b|social security|\bs?c?ocial\b|\bscial\b|"
     r"national insurance|\bni\b(?= (?:number|no))|\bnino\b|\bsin\b|"
     r"tax ?(?:payer)? ?id|\btin\b|\bitin\b|\bpan\b|aadhaa?r|national id|identity card|"
     r"\bdni\b|\bnie\b|\bnif\b|documento|foreigner"),
    ("PASSPORT", 0.9, r"pass?p?ort|pssport|passpot"),
    ("DRIVER_LICENSE", 0.88, r"driv(?:er|ing)['\u2019]?s? licen[cs]e|\bdl\b|"
     r"\blicen[cs]e(?! plate)|\blicene\b|\bpermit\b"),
    ("VEHICLE", 0.85, r"licen[cs]e plate|number plate|\bplates?\b|registration|\bvin\b|"
     r"vehicle|\btag\b|chassis|the car is an?\b"),
    ("ACCOUNT", 0.88, r"account|\bacct?\b|\baccnum|routing|sort code|\bswift\b|\bbic\b|"
     r"bank|\biban\b|customer (?:id|number)|employee (?:id|number)|"
     r"student (?:id|number)|\bbadge\b|\bvoter\b|tribal id|user ?id|"
     r"order (?:number|no|id)|reference|confirmation|booking|ticket"),
    ("PROVIDER_ID", 0.85, r"\bnpi\b|\bdea\b|provider (?:id|number)"),
    ("DEVICE_ID", 0.85, r"serial|\bimei\b|device|pacemaker|implant|\bmac\b|\bs/?n\b|"
     r"handset"),
    ("BIOMETRIC", 0.85, r"finger ?print|voice ?print|biometric|retina|\biris\b|"
     r"palm (?:vein|print)|face (?:login|id|template|scan)|facial template"),
    ("CREDIT_CARD", 0.8, r"credit card|debit card|card number|\bcvv\b|\bvisa\b|"
     r"mastercard|\bamex\b|american express|\bcard\b"),
    ("PHONE", 0.8, r"phone|\bcell\b|mobile|\btel\b|telephone|\bfax\b|call (?:me|him|"
     r"her|us|back)|\btext\b|whatsapp|reach (?:me|him|her|us)|\bnumber\b|contact"),
    ("ZIP_CODE", 0.82, r"\bzip\b|zip ?code|postal|postcode|post code"),
    ("PASSWORD", 0.88, r"password|passcode|\bpin\b|passwd|\bpwd\b|passphrase|\botp\b"),
    ("ID", 0.75, r"\bid\b|identification|identifier|certificate"),
)  # fmt: skip
_KINDS = tuple((kind, confidence) for kind, confidence, _pattern in _CUES)
_ANY_CUE = re.compile("|".join(f"({pattern})" for *_, pattern in _CUES), re.I)
_AFTER = re.compile(
    r"[,]?\s\(?(?:(?:as|on|is|was|(?:that|it)['\u2019]?s|that is|i mean|i think|"
    r"on my wristband as|savings|checking|in)\s){0,2}(?:(?:that|it)['\u2019]?s\s)?"
    r"(?:my|the|his|her|our|postal)?\s?(?:checking\s|savings\s|record\s)?"
    r"(?:(?P<ZIP_CODE>zip|postal code|code\)|postcode)|(?P<ACCOUNT>account|acct)|"
    r"(?P<VEHICLE>vin|(?:license |number )?plate)|(?P<PROVIDER_ID>\(?npi)|"
    r"(?P<PASSPORT>passport)|(?P<DRIVER_LICENSE>licen[cs]e)|(?P<DEVICE_ID>\(?imei)|"
    r"(?P<MRN>mrn|record number|number on my wristband|patient number)|"
    r"(?P<SSN>ssn|social security)|(?P<HEALTH_PLAN_ID>member id|insurance))", re.I
)  # fmt: skip
# Lower case as on a phone: "his plate is 604 ams", "zip sw1a 2bb".
_LOWER_PAIR = re.compile(
    r"\b(plates?|tag|zip|postcode|zip code)(?: (?:number|no\.?|code))?(?: (?:is|was))?"
    r"[:\s]{1,2}((?=[a-z0-9 -]{0,8}\d)[a-z0-9]{1,4}[ -](?!and|the|but|was|for|in\b|"
    r"on\b|any\b|is\b)(?:[a-z]{1,3}|\d[a-z0-9]{1,3}))\b"
)
_DECADE = re.compile(r"(?:1[89]|20)?\d0s")
_SHORT = frozenset({"PASSWORD", "CREDIT_CARD", "ZIP_CODE"})


def cued(text: str) -> Iterator[Identifier]:
    """Finds by cue; only texts with digits hold any."""
    for match in _VALUE.finditer(text):
        found = _by_cue(text, match)
        if found is not None:
            yield found
    for match in _LOWER_PAIR.finditer(text):
        kind = "VEHICLE" if match.group(1)[0] in "pt" else "ZIP_CODE"
        kind = "ZIP_CODE" if match.group(1) == "postcode" else kind
        yield Identifier(*match.span(2), kind, 0.86)


def _by_cue(text: str, match: re.Match[str]) -> Identifier | None:
    value = match.group().lstrip("#")
    is_split = " " in value
    if sum(char.isdigit() for char in value) < (2 if is_split else 3):
        return None
    if _DECADE.fullmatch(value):
        return None
    kind, confidence, links = _led_by(
        text[max(0, match.start() - _REACH) : match.start()]
    )
    if not links:
        after = _AFTER.match(text, match.end(), match.end() + 60)
        if after is not None:
            kind, confidence, links = after.lastgroup or "ID", 0.7, True
    if not kind or (is_split and not links):
        return None
    if not links:
        confidence *= 0.5
    if len(value) < 5 and kind not in _SHORT:
        confidence *= 0.6
    start = match.end() - len(value)
    return Identifier(start, match.end(), kind, confidence)


def _led_by(before: str) -> tuple[str, float, bool]:
    """The kind that the words before speak of, how surely, and whether they lead on."""
    best: tuple[bool, bool, int] = (False, False, -1)
    kind, confidence = "", 0.0
    for cue in _ANY_CUE.finditer(before):
        links = _LINK.match(before, cue.end()) is not None
        rank = (links, cue.group().lower() not in _GENERIC, cue.end())
        if rank > best and cue.lastindex is not None:
            best = rank
            kind, confidence = _KINDS[cue.lastindex - 1]
    return kind, confidence, best[0]
