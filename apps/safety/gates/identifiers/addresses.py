"""Streets, boxes and postal codes, in the orders of several countries."""

from __future__ import annotations

import re
from collections.abc import Iterator

from apps.safety.gates.identifiers.found import Identifier

_STREET_KIND = (
    r"(?:street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|place|"
    r"pl|square|sq|terrace|ter|parkway|pkwy|highway|hwy|circle|cir|trail|trl|way|"
    r"close|crescent|row|mews|gardens|grove|alley|plaza|loop|pike|freeway|turnpike|"
    # Of the postal service's list; streets only with a capital: "a 20 minute walk".
    r"(?-i:(?:Bend|Bluff|Branch|Bridge|Broadway|Brook|Burg|Bypass|Camp|Canyon|Cape|"
    r"Causeway|Center|Cliff|Common|Corner|Course|Cove|Creek|Crest|Crossing|Curve|Dale|"
    r"Dam|Divide|Estate|Expressway|Extension|Fall|Ferry|Field|Flat|Ford|Forest|Forge|"
    r"Fork|Fort|Garden|Gateway|Glen|Green|Harbor|Haven|Height|Hill|Hollow|Inlet|Island|"
    r"Isle|Junction|Key|Knoll|Lake|Land|Landing|Light|Lock|Lodge|Mall|Manor|Meadow|Mill|"
    r"Mission|Motorway|Mount|Mountain|Neck|Orchard|Oval|Overpass|Park|Pass|Passage|Path|"
    r"Pine|Plain|Point|Port|Prairie|Quay|Radial|Ramp|Ranch|Rapid|Rest|Ridge|Rise|River|"
    r"Route|Run|Shoal|Shore|Skyway|Spring|Spur|Station|Stravenue|Stream|Summit|Trace|"
    r"Track|Trafficway|Tunnel|Underpass|Union|Valley|Viaduct|View|Village|Ville|Vista|"
    r"Walk|Wall|Well|Wharf)s?))"
)
UK_CODE = r"[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}(?!\w)"
_TOWN = r"[A-Z][\w'.-]{1,20}(?:\s[A-Z][\w'.-]{1,20}){0,2}"
_TAIL = re.compile(
    r"(?:,?\s{1,2}(?i:apt|apartment|suite|ste|unit|flat|floor|#)\.?\s{0,2}#?\w{1,6})?"
    rf"(?:,\s{{0,2}}{_TOWN})?(?:,?\s{{1,2}}[A-Z]{{2}}\b)?"
    rf"(?:,?\s{{1,2}}(?:\d{{5}}(?:-\d{{4}})?\b|{UK_CODE}))?"
)
# A tail of so many code points holds a town or a code: nothing else looks like that.
_LONG_TAIL = 6
_TAIL_ABROAD = re.compile(rf",?\s\d{{4,5}}\s{_TOWN}")
_FLAT = re.compile(r"\b(?:flat|apt\.?|apartment|unit)\s\w{1,5},\s$", re.I)
_NUMBER = re.compile(r"(?<![\w./-])(?=\d)")
_NO_NAME = (
    r"(?!(?:to|at|from|with|and|for|in|on|by|is|was|were|we|i|my|the|lane|he|she|they|or|but|"
    r"admitted|then|years?|hours?|minutes?|days?|weeks?|months?)\s)"
)
_WORD = rf"{_NO_NAME}(?:[A-Z]{{1,2}}\.|[A-Za-z0-9][\w'-]{{0,20}})[ ]{{1,2}}"
STREET = re.compile(
    rf"\d{{1,6}}[a-z]?,?\s{{1,2}}(?:{_WORD}){{1,4}}{_STREET_KIND}\b\.?", re.I
)
# Whatever the street is called, a flat or suite after it makes it an address.
STREET_AND_FLAT = re.compile(
    rf"\d{{1,6}}[a-z]?\s(?:{_WORD}){{1,3}}(?:apt|suite|ste|unit|flat)\b\.?\s{{0,2}}#?"
    r"\w{0,3}\d\w{0,3}\b", re.I
)  # fmt: skip
# A number and names right behind "I live at": a street of whatever kind.
STREET_LED = re.compile(
    rf"\d{{1,6}}[a-z]?\s(?:{_WORD}){{0,2}}{_NO_NAME}[a-z][\w'-]{{2,20}}(?=[,.;\n]|$|\sand\b)",
    re.I,
)
_LEADS_HOME = re.compile(
    r"\b(?:(?:live[sd]?|living|stays?|staying|reside[sd]?) at|address(?: is|:)?|"
    r"(?:house|home|flat|place|apartment) (?:on|at|is))\s$",
    re.I,
)  # fmt: skip
_ABROAD = (
    r"(?:(?:rua|calle|avenida|via|rue|carrer|plaza|strada|ulica|viale|piazza|paseo|"
    r"boulevard|avenue)\s(?:(?:de|d[aeo]s?|del|la|las|los|di|du|des)\s){0,2}"
    r"(?-i:[A-Z])[\w'.-]{1,20}(?:\s(?-i:[A-Z])[\w'.-]{1,20}){0,2}"
    r"|(?-i:[A-ZÆØÅÄÖ])[\w-]{2,25}"
    r"(?:strasse|stra\u00dfe|gasse|weg|allee|platz|straat|laan|gatan|gade|vej|gata|utca))"
)
STREET_ABROAD = re.compile(
    rf"(?<!\w)(?:{_ABROAD},?\s\d{{1,5}}[a-z]?\b|\d{{1,5}}[a-z]?,?\s{_ABROAD}\b)"
    r"|(?<!\w)(?:rua|calle|avenida|via|rue|carrer|plaza|strada|ulica|viale|piazza|"
    r"boulevard|avenue)\s(?:[\w'.-]{2,20}\s){1,4}\d{1,5}\b", re.I
)  # fmt: skip
PO_BOX = re.compile(rf"\b(?i:p\.?\s?o\.?\s?box)\s\d{{1,8}}\b(?:,\s{_TOWN})?")
UK_POSTCODE = re.compile(rf"(?<!\w){UK_CODE}")
CANADA_POSTCODE = re.compile(r"(?<!\w)[A-CEGHJ-NPR-TVXY]\d[A-Z]\s\d[A-Z]\d(?!\w)")
STATE_ZIP = re.compile(r"(?<=\b[A-Z]{2}\s)\d{5}(?:-\d{4})?(?![\w-])")
_CAPITAL = re.compile(r"[A-Z]")


def streets(text: str, start: int, end: int) -> Iterator[Identifier]:
    """Street addresses of the range, as far as flat, town and code go with them."""
    for place in _NUMBER.finditer(text, start, end):
        match = STREET.match(text, place.start())
        match = match or STREET_AND_FLAT.match(text, place.start())
        confidence = 0.93 if match and _CAPITAL.search(match.group()) else 0.55
        if match is None and _LEADS_HOME.search(
            text, max(0, place.start() - 20), place.start()
        ):
            match, confidence = STREET_LED.match(text, place.start()), 0.75
        if match is not None:
            tail = _TAIL.match(text, match.end())
            stop = tail.end() if tail else match.end()
            if stop - match.end() > _LONG_TAIL:
                confidence = 0.93
            flat = _FLAT.search(text, max(0, match.start() - 18), match.start())
            first = flat.start() if flat else match.start()
            yield Identifier(first, stop, "ADDRESS", confidence)
    for match in STREET_ABROAD.finditer(text, start, end):
        tail = _TAIL_ABROAD.match(text, match.end())
        if tail is None:
            yield Identifier(*match.span(), "ADDRESS", 0.72)
        else:
            yield Identifier(match.start(), tail.end(), "ADDRESS", 0.89)
