"""Dates of a life and its care, and ages over 89, in the ways people write them."""

from __future__ import annotations

import re

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_MES = (
    r"(?:enero|febrero|marzo|abril|mayo|junio|julio|agosto|sep?tiembre|octubre|"
    r"noviembre|diciembre)"
)
_YEAR = r"(?:19|20)\d{2}\b"
DATE_NUMERIC = re.compile(
    r"(?<![\w/.-])(?:\d{1,2}([/-])\d{1,2}\1(?:19|20)?\d{2}|"
    r"\d{1,2}\.\s?\d{1,2}\.\s?(?:19|20)\d{2}|(?:19|20)\d{2}([/.-])"
    r"\d{1,2}\2\d{1,2})(?![\w/-])"
)
DATE_WORDS = re.compile(
    rf"\b(?:{_MONTH}\s{{1,2}}\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s{{1,2}}{_YEAR})?"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?[\s-](?:of\s)?{_MONTH}(?:(?:,?\s{{1,2}}|-){_YEAR})?"
    rf"(?![a-z])|{_MONTH}\s{_YEAR}"
    rf"|\d{{1,2}}\sde\s{_MES}(?:\sdel?\s{_YEAR})?(?![a-z]))", re.I
)  # fmt: skip
DAY_AND_MONTH = re.compile(r"(?<![\w/.,$£€-])\d{1,2}/\d{1,2}(?![\w/%-]|[.,]\d)")
AGE = re.compile(r"(?<![\w.,/:$£€+-])(?:9\d|1[01]\d)(?![\w%°]|[.,/:]\d|-\d)")

_BIRTH = re.compile(r"\b(?:born|birth(?:day|date)?|bday|dob|d\.o\.b|naci\w+)\b", re.I)
_DATED = re.compile(
    r"\b(?:on|since|until|till|by|before|date|dated|death|issued|it was|from|seen|died|"
    r"visit|appointment|cou?rt(?: date)? is|due|admit\w*|discharg\w*|scheduled for|"
    r"relapsed|missing)[\s:(]{1,2}(?:the\s)?$", re.I
)  # fmt: skip
_NOT_A_DAY = frozenset({"24/7", "9/11", "7/11", "9/10", "10/10"})
_AGED = re.compile(
    r"\b(?:age[ds]?|turn(?:s|ed|ing)?|reach(?:ed|ing)|lived to(?: be)?|age at \w{3,12}|"
    r"edad|(?:birthday|age) (?:is|was))[\s:]{1,3}$", re.I
)  # fmt: skip
_IS = re.compile(r"(?:\b(?:is|am|was)|\b(?:i|s?he)['\u2019]?[ms])\s{1,2}$", re.I)
_AT = re.compile(r"(?:^|[.!?\n]\s?)at\s$", re.I)
_NAMED = re.compile(r"[^\W\d_]{2},\s$")
_YEARS_OLD = re.compile(
    r"[\s-]{0,2}(?:(?:years?|yrs?)[\s-]{0,2}(?:old|of age)|y/?o\b|yrs?\b[,.]|"
    r"years?,|a\u00f1os)", re.I
)  # fmt: skip
_PAUSE = re.compile(r"\s(?:and|now|today|this)\b|[,.;!?]|$|\snext\b")
_NOT_AN_AGE = re.compile(
    r"\b(?:rate|pulse|score[ds]?|weigh[st]?|weight|temp\w*|sugar|page|room|bpm|iq|bus|"
    r"route|size|number|sat\w*|pressure|fever|grade|percentile)\b", re.I
)  # fmt: skip


def date_score(text: str, match: re.Match[str]) -> float:
    before = text[max(0, match.start() - 50) : match.start()]
    return 0.92 if _BIRTH.search(before) else 0.58


def day_score(text: str, match: re.Match[str]) -> float:
    """A day and month without a year; only behind words that lead to a date."""
    first, second = (int(part) for part in match.group().split("/"))
    if not (min(first, second) >= 1 and min(first, second) <= 12):
        return 0.0
    if max(first, second) > 31 or match.group() in _NOT_A_DAY:
        return 0.0
    led = text[max(0, match.start() - 30) : match.start()]
    return 0.58 if _DATED.search(led) else 0.0


def age_score(text: str, match: re.Match[str]) -> float:
    """How surely a number from 90 to 119 is an age; lower ages identify nobody."""
    led = text[max(0, match.start() - 30) : match.start()]
    if _YEARS_OLD.match(text, match.end()) or _AGED.search(led):
        return 0.85
    if _NOT_AN_AGE.search(led) or not _PAUSE.match(text, match.end()):
        return 0.0
    if _IS.search(led):
        return 0.7
    if text[match.end() : match.end() + 1] != ",":
        return 0.0
    return 0.6 if _AT.search(led) or _NAMED.search(led) else 0.0
