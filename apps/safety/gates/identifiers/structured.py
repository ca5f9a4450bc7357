"""Identifiers with a shape of their own: addresses on networks, cards, dates, streets.

Each pattern is bounded, so that no text makes one slow. Where a number carries a check
digit, the digit decides how sure the find is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from apps.safety.gates.identifiers.checksums import (
    digits_of,
    is_iban,
    is_luhn,
    is_ssn,
    is_vin,
)
from apps.safety.gates.identifiers.found import Identifier

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_STREET = (
    r"(?:street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|place|"
    r"pl|square|sq|terrace|ter|parkway|pkwy|highway|hwy|circle|cir|trail|trl|way|"
    r"close|crescent|row|mews|gardens|grove|alley|plaza|loop|pike|freeway|turnpike)"
)
_ADDRESS_TAIL = (
    r"(?:,?\s{1,2}(?:apt|apartment|suite|ste|unit|flat|floor|#)\.?\s{0,2}#?\w{1,6})?"
    r"(?:,\s{0,2}[A-Z][\w'.-]{1,20}(?:\s[A-Z][\w'.-]{1,20}){0,2})?"
    r"(?:,?\s{1,2}[A-Z]{2}\b)?(?:,?\s{1,2}\d{5}(?:-\d{4})?\b)?"
)

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
    r"info|ly|app|dev|health)(?:/[^\s<>\"')\]]{0,200})?(?![\w@.-])", re.I
)  # fmt: skip
IPV4 = re.compile(
    r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)"
    r"(?![\w.]\w|\d)"
)
IPV6 = re.compile(
    r"(?<![\w:])(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|"
    r"(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6})(?![\w:])", re.I
)  # fmt: skip
MAC = re.compile(r"(?<![\w:-])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![\w:-])", re.I)
UUID = re.compile(
    r"(?<!\w)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?!\w)", re.I
)
CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){11,18}(?![\w-])")
IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{2,4}){3,8}[A-Z0-9]{0,3}(?!\w)")
SSN = re.compile(r"(?<![\w-])\d{3}([- .])\d{2}\1\d{4}(?![\w-])")
NHS = re.compile(r"(?<![\w-])\d{3} \d{3} \d{4}(?![\w-])")
PHONE = re.compile(
    r"(?<![\w.,/:#$£€-])(?:\+|00)?\(?\d{1,4}\)?(?:[ .\-/]{0,2}\(?\d{2,5}\)?){1,5}"
    r"(?:\s?(?:x|ext\.?|extension)\s?\d{1,6})?(?![\w%]|[-/:]\d)", re.I
)  # fmt: skip
DATE_NUMERIC = re.compile(
    r"(?<![\w/.-])(?:\d{1,2}([/-])\d{1,2}\1(?:19|20)?\d{2}|"
    r"\d{1,2}\.\d{1,2}\.(?:19|20)\d{2}|(?:19|20)\d{2}([/.-])"
    r"\d{1,2}\2\d{1,2})(?![\w/-])"
)
DATE_WORDS = re.compile(
    rf"\b(?:{_MONTH}\s{{1,2}}\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s{{1,2}}(?:19|20)\d{{2}}\b)?"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?\s(?:of\s)?{_MONTH}(?:,?\s{{1,2}}(?:19|20)\d{{2}}\b)?"
    rf"(?![a-z])|{_MONTH}\s(?:19|20)\d{{2}}\b)", re.I
)  # fmt: skip
AGE = re.compile(
    r"\b(?:(?:aged?|turn(?:ed|ing)?|is|am|i'm|im|was)\s{1,2}(\d{1,3})(?=\s(?:and|now|"
    r"today|this)\b|[,.;]|$)|(\d{1,3})[\s-]{1,2}(?:years?|yrs?)[\s-]{1,2}"
    r"old|(\d{1,3})\s?(?:y/o|yo|yr old|f|m)\b)", re.I
)  # fmt: skip
STREET = re.compile(
    rf"(?<![\w.])\d{{1,6}}[a-z]?,?\s{{1,2}}(?:[A-Za-z0-9][\w'.-]{{0,20}}\s{{1,2}}){{1,4}}"
    rf"{_STREET}\b\.?", re.I
)  # fmt: skip
STREET_TAIL = re.compile(_ADDRESS_TAIL)
STREET_ABROAD = re.compile(
    r"(?<!\w)(?:(?:rua|calle|avenida|via|rue|carrer|plaza|strada|ulica|viale|piazza|"
    r"boulevard|avenue)\s(?:[\w'.-]{2,20}\s){1,4}\d{1,5}|[A-Z][\w-]{2,25}"
    r"(?:strasse|straße|gasse|weg|allee|platz|straat|laan|gatan|vej|gata|utca)\s\d{1,4})",
    re.I,
)
PO_BOX = re.compile(r"\bp\.?\s?o\.?\s?box\s\d{1,8}\b", re.I)
UK_POSTCODE = re.compile(r"(?<!\w)[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}(?!\w)")
STATE_ZIP = re.compile(r"(?<=\b[A-Z]{2}\s)\d{5}(?:-\d{4})?(?![\w-])")
VIN = re.compile(r"(?<!\w)(?=[A-Z0-9]*\d)[A-HJ-NPR-Z0-9]{17}(?!\w)", re.I)
HANDLE = re.compile(r"(?<![\w@.])@[A-Za-z_][\w.]{2,29}\b")
SPELT_DIGITS = re.compile(
    r"\b(?:(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)"
    r"[ ,-]{1,2}){6,15}(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)\b", re.I
)  # fmt: skip
CRYPTO = re.compile(r"(?<!\w)(?:bc1[a-z0-9]{25,59}|[13][1-9A-HJ-NP-Za-km-z]{33}|"
                    r"0x[a-fA-F0-9]{40})(?!\w)")  # fmt: skip

_BIRTH = re.compile(r"\b(?:born|birth(?:day|date)?|dob|d\.o\.b)\b", re.I)
_CARD_CUE = re.compile(r"\b(?:card|visa|mastercard|amex|credit|debit)\b", re.I)
_SSN_CUE = re.compile(r"\b(?:ssn|social|security)\b", re.I)
_PHONE_CUE = re.compile(
    r"\b(?:call|phone|cell|mobile|tel|telephone|fax|text|whatsapp|reach|dial|ring)\b",
    re.I,
)
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
    if not 7 <= len(digits) <= 15 or _NOT_PHONE.match(raw):
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


def _date(text: str, match: re.Match[str]) -> float:
    return 0.92 if _BIRTH.search(_before(text, match)) else 0.58


def _age(_text: str, match: re.Match[str]) -> float:
    years = int(next(group for group in match.groups() if group))
    if 89 < years < 120:
        return 0.85
    return 0.3 if 1 < years <= 89 else 0.0


def _vin(_text: str, match: re.Match[str]) -> float:
    return 0.92 if is_vin(match.group()) else 0.35


RULES: tuple[Rule, ...] = (
    (EMAIL, "EMAIL", _fixed(0.98)),
    (EMAIL_SPELT, "EMAIL", _fixed(0.85)),
    (URL, "URL", _fixed(0.7)),
    (HANDLE, "USERNAME", _fixed(0.55)),
    (SPELT_DIGITS, "PHONE", _fixed(0.6)),
)
DIGIT_RULES: tuple[Rule, ...] = (
    (IPV4, "IP_ADDRESS", _fixed(0.93)),
    (IPV6, "IP_ADDRESS", _fixed(0.9)),
    (MAC, "DEVICE_ID", _fixed(0.92)),
    (UUID, "DEVICE_ID", _fixed(0.6)),
    (CRYPTO, "ACCOUNT", _fixed(0.8)),
    (CARD, "CREDIT_CARD", _card),
    (IBAN, "IBAN", _iban),
    (SSN, "SSN", _ssn),
    (NHS, "PHONE", _fixed(0.8)),
    (DATE_NUMERIC, "DATE", _date),
    (DATE_WORDS, "DATE", _date),
    (AGE, "AGE", _age),
    (STREET_ABROAD, "ADDRESS", _fixed(0.72)),
    (PO_BOX, "ADDRESS", _fixed(0.85)),
    (UK_POSTCODE, "ZIP_CODE", _fixed(0.8)),
    (STATE_ZIP, "ZIP_CODE", _fixed(0.82)),
    (VIN, "VEHICLE", _vin),
    (PHONE, "PHONE", _phone),
)


def structured(text: str, *, has_digit: bool) -> Iterator[Identifier]:
    """Finds by shape; the digit rules run only where a digit stands."""
    rules = RULES + DIGIT_RULES if has_digit else RULES
    for pattern, kind, judge in rules:
        for match in pattern.finditer(text):
            confidence = judge(text, match)
            if confidence > 0:
                yield Identifier(match.start(), match.end(), kind, confidence)
    if has_digit:
        yield from _streets(text)


def _streets(text: str) -> Iterator[Identifier]:
    for match in STREET.finditer(text):
        tail = STREET_TAIL.match(text, match.end())
        end = tail.end() if tail else match.end()
        confidence = 0.85 if re.search(r"[A-Z]", match.group()) else 0.55
        yield Identifier(match.start(), end, "ADDRESS", confidence)
