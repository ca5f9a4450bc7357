"""Identifiers with a shape of their own: addresses on networks, cards, numbers, files.

Each pattern is bounded, so that no text makes one slow, and runs only where a text
has what it needs: digits, an "@", a dot inside a word. Where a number carries a check
digit, the digit decides how sure the find is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from apps.safety.gates.identifiers.addresses import (
    CANADA_POSTCODE,
    PO_BOX,
    STATE_ZIP,
    UK_POSTCODE,
    streets,
)
from apps.safety.gates.identifiers.checksums import (
    digits_of,
    is_dni,
    is_iban,
    is_luhn,
    is_ssn,
    is_vin,
)
from apps.safety.gates.identifiers.dates import (
    AGE,
    DATE_NUMERIC,
    DATE_WORDS,
    DAY_AND_MONTH,
    age_score,
    date_score,
    day_score,
)
from apps.safety.gates.identifiers.found import Identifier
from apps.safety.gates.identifiers.regions import around_digits

EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+%'-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,24}(?![\w-])", re.I
)
EMAIL_SPELT = re.compile(
    r"\b[\w.+-]{2,40}\s?(?:\(at\)|\[at\]|\sat\s)\s?[a-z0-9-]{2,30}"
    r"\s?(?:\(dot\)|\[dot\]|\sdot\s)\s?(?:com|org|net|edu|co|uk|io|gov)\b", re.I
)  # fmt: skip
URL = re.compile(
    r"\b(?:https?://|www\.)[^\s<>\"')\]]{3,300}"
    r"|\b[a-z0-9-]{2,40}(?:\.[a-z0-9-]{1,30}){0,2}\.(?:com|org|net|edu|gov|io|me|co\.uk|"
    r"info|ly|app|dev|health)(?:/[^\s<>\"')\]]{0,200})?(?![\w@.-])"
    r"|\b[a-z0-9-]{2,40}(?:\.[a-z0-9-]{1,30}){0,2}\.[a-z]{2,6}/[^\s<>\"')\]]{2,200}",
    re.I,
)  # fmt: skip
IPV4 = re.compile(
    r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)"
    r"(?![\w.]\w|\d)"
)
IPV6 = re.compile(
    r"(?<![\w:])(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|"
    r"(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6})(?!\w|:\w)", re.I
)  # fmt: skip
MAC = re.compile(
    r"(?<![\w:-])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![\w:-])"
    r"|(?<![\w.])[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}(?!\w|\.\w)", re.I
)  # fmt: skip
UUID = re.compile(
    r"(?<!\w)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?!\w)", re.I
)
CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){11,18}(?![\w-])")
IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{2,4}){3,8}[A-Z0-9]{0,3}(?!\w)")
SSN = re.compile(r"(?<![\w-])\d{3}([- .])\d{2}\1\d{4}(?![\w-])")
DNI = re.compile(
    r"(?<![\w.-])(?:\d{1,2}\.\d{3}\.\d{3}|\d{7,8}|[XYZ]-?\d{7})[ -]?[A-Z](?![\w-])",
    re.I,
)
NINO = re.compile(
    r"(?<!\w)(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
    r"(?:\s?\d\d){3}\s?[A-D](?!\w)", re.I
)  # fmt: skip
MBI = re.compile(
    r"(?<!\w)[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y]"
    r"[AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y]{2}\d\d(?!\w)", re.I
)  # fmt: skip
# So many digits in a row count nothing that people talk about: they name something.
LONG_NUMBER = re.compile(r"(?<![\w.,$£€-])\d{9,20}(?![\w%-]|[.,]\d)")
NHS = re.compile(r"(?<![\w-])\d{3} \d{3} \d{4}(?![\w-])")
PHONE = re.compile(
    r"(?<![\w.,/:#$£€-])(?:\+|00)?\(?\d{1,4}\)?(?:[ .\-/]{0,2}\(?\d{2,5}\)?){1,5}"
    r"(?:\s?(?:x|ext\.?|extension)\s?\d{1,6})?(?![\w%]|[-/:]\d)", re.I
)  # fmt: skip
VIN = re.compile(r"(?<!\w)(?=[A-Z0-9]*\d)[A-HJ-NPR-Z0-9]{17}(?!\w)", re.I)
PHOTO = re.compile(
    r"(?<![\w/.-])[\w/-]{1,80}(?:\.[\w-]{1,20}){0,2}"
    r"\.(?:jpe?g|png|heic|webp|gif|bmp|tiff?)\b", re.I
)  # fmt: skip
REDDIT = re.compile(r"(?<![\w/])/?u/[A-Za-z0-9_-]{3,24}(?![\w/])")
HANDLE = re.compile(r"(?<![\w@.])@[A-Za-z_][\w.]{2,29}\b")
SPELT_DIGITS = re.compile(
    r"\b(?:(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)"
    r"[ ,-]{1,2}){6,15}(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)\b", re.I
)  # fmt: skip
CRYPTO = re.compile(r"(?<!\w)(?:bc1[a-z0-9]{25,59}|[13][1-9A-HJ-NP-Za-km-z]{33}|"
                    r"0x[a-fA-F0-9]{40})(?!\w)")  # fmt: skip

_CARD_CUE = re.compile(r"\b(?:card|visa|mastercard|amex|credit|debit)\b", re.I)
_SSN_CUE = re.compile(r"\b(?:ssn|social|security)\b", re.I)
_PHONE_CUE = re.compile(
    r"\b(?:call|phone|cell|mobile|tel|telephone|fax|text|whatsapp|reach|dial|ring|number)\b",
    re.I,
)
_FACE = re.compile(
    r"img|dsc|photo|selfie|portrait|face|headshot|profile|picture|avatar", re.I
)
_DOTTED = re.compile(r"\w\.\w|://")
_DIGIT_WORDS = (
    "zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight",
    "nine", "double", "triple",
)  # fmt: skip
_IMAGES = (".jp", ".png", ".heic", ".webp", ".gif", ".bmp", ".tif")
_NOT_PHONE = re.compile(r"^\d{4}\s?[-/]\s?\d{4}$|^\d{1,4}[./]\d{1,4}$|^\d{1,6}$")

Rule = tuple[re.Pattern[str], str, Callable[[str, re.Match[str]], float]]


def _before(text: str, match: re.Match[str]) -> str:
    return text[max(0, match.start() - 50) : match.start()]


def _fixed(value: float) -> Callable[[str, re.Match[str]], float]:
    return lambda _text, _match: value


def _card(text: str, match: re.Match[str]) -> float:
    if is_luhn(match.group()):
        return 0.95
    return 0.6 if _CARD_CUE.search(_before(text, match)) else 0.0


def _iban(_text: str, match: re.Match[str]) -> float:
    return 0.98 if is_iban(match.group()) else 0.4


def _ssn(text: str, match: re.Match[str]) -> float:
    if _SSN_CUE.search(_before(text, match)):
        return 0.97
    return 0.85 if is_ssn(match.group()) else 0.55


def _phone(text: str, match: re.Match[str]) -> float:
    raw = match.group()
    digits = digits_of(raw)
    if not 7 <= len(digits) <= 15 or _NOT_PHONE.match(raw.strip("()")):
        return 0.0
    if _PHONE_CUE.search(_before(text, match)):
        return 0.85
    if raw.startswith(("+", "00", "(")):
        return 0.88
    groups = len(re.findall(r"\d+", raw))
    if groups >= 3 and len(digits) >= 9:
        return 0.82
    if len(digits) in {10, 11} or (groups == 2 and len(digits) == 7):
        return 0.68
    return 0.4


def _vin(_text: str, match: re.Match[str]) -> float:
    return 0.92 if is_vin(match.group()) else 0.35


def _dni(_text: str, match: re.Match[str]) -> float:
    return 0.93 if is_dni(match.group()) else 0.0


def _photo(text: str, match: re.Match[str]) -> float:
    pictured = _FACE.search(match.group()) or _FACE.search(_before(text, match))
    return 0.75 if pictured else 0.4


DIGIT_RULES: tuple[Rule, ...] = (
    (IPV4, "IP_ADDRESS", _fixed(0.93)),
    (IPV6, "IP_ADDRESS", _fixed(0.9)),
    (MAC, "DEVICE_ID", _fixed(0.92)),
    (UUID, "DEVICE_ID", _fixed(0.6)),
    (CRYPTO, "ACCOUNT", _fixed(0.8)),
    (CARD, "CREDIT_CARD", _card),
    (IBAN, "IBAN", _iban),
    (SSN, "SSN", _ssn),
    (DNI, "SSN", _dni),
    (NINO, "SSN", _fixed(0.85)),
    (MBI, "HEALTH_PLAN_ID", _fixed(0.9)),
    (NHS, "PHONE", _fixed(0.8)),
    (DATE_NUMERIC, "DATE", date_score),
    (DATE_WORDS, "DATE", date_score),
    (DAY_AND_MONTH, "DATE", day_score),
    (AGE, "AGE", age_score),
    (PO_BOX, "ADDRESS", _fixed(0.85)),
    (UK_POSTCODE, "ZIP_CODE", _fixed(0.8)),
    (CANADA_POSTCODE, "ZIP_CODE", _fixed(0.8)),
    (STATE_ZIP, "ZIP_CODE", _fixed(0.82)),
    (VIN, "VEHICLE", _vin),
    (PHONE, "PHONE", _phone),
    (LONG_NUMBER, "ID", _fixed(0.55)),
)


def structured(text: str, *, has_digit: bool) -> Iterator[Identifier]:
    """Finds by shape; the digit rules run only around digits."""
    for pattern, kind, judge in _rules_for(text):
        for match in pattern.finditer(text):
            yield Identifier(*match.span(), kind, judge(text, match))
    if not has_digit:
        return
    for start, end in around_digits(text):
        for pattern, kind, judge in DIGIT_RULES:
            for match in pattern.finditer(text, start, end):
                confidence = judge(text, match)
                if confidence > 0:
                    yield Identifier(*match.span(), kind, confidence)
        yield from streets(text, start, end)


def _rules_for(text: str) -> Iterator[Rule]:
    """The rules without digits that this text can meet at all."""
    lowered = text.lower()
    if "@" in text:
        yield EMAIL, "EMAIL", _fixed(0.98)
        yield HANDLE, "USERNAME", _fixed(0.76)
    if "dot" in lowered and "at" in lowered:
        yield EMAIL_SPELT, "EMAIL", _fixed(0.85)
    if _DOTTED.search(text):
        yield URL, "URL", _fixed(0.7)
    if "u/" in text:
        yield REDDIT, "USERNAME", _fixed(0.8)
    if any(ending in lowered for ending in _IMAGES):
        yield PHOTO, "PHOTO", _photo
    if sum(lowered.count(word) for word in _DIGIT_WORDS) >= 7:
        yield SPELT_DIGITS, "PHONE", _fixed(0.6)
