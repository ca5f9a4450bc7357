"""Referral counts for a period, without identifiers (CA SB 243 asks for such counts).

Pure: cases in, numbers out. No row, time of day, text, person or key is in a report. In
tables of two properties, and by locale, a cell under 5 is withheld, and with it as many
neighbours as it takes that no sum gives it away.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

SMALLEST_CELL = 5
# Callers choose locales: whatever is not a language and a country is not repeated.
LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")
OTHER = "other"
UNRESOLVED = "unresolved"
Table = Mapping[str, Mapping[str, int | None]]


@dataclass(frozen=True, slots=True)
class HandledCase:
    """One case as a report sees it. ``response_s`` is None until acknowledged."""

    level: str
    locale: str
    disposition: str
    response_s: float | None


@dataclass(frozen=True, slots=True)
class ResponseTimes:
    """Seconds from detection to acknowledgement; withheld (None) under 5 cases."""

    count: int
    median_s: float | None
    p90_s: float | None


@dataclass(frozen=True, slots=True)
class ReferralReport:
    """Counts of one period. None in a table stands for a withheld cell."""

    first: date
    last: date
    total: int
    by_level: Mapping[str, int]
    by_disposition: Mapping[str, int]
    by_locale: Mapping[str, int | None]
    level_by_disposition: Table
    level_by_locale: Table
    response: Mapping[str, ResponseTimes]


def referral_report(
    cases: Iterable[HandledCase], *, first: date, last: date
) -> ReferralReport:
    """The report of these cases, which are those opened in the period."""
    found = [_plain(case) for case in cases]
    by_locale = Counter(case.locale for case in found)
    return ReferralReport(
        first=first,
        last=last,
        total=len(found),
        by_level=_ordered(Counter(case.level for case in found)),
        by_disposition=_ordered(Counter(case.disposition for case in found)),
        by_locale=withheld({"": dict(_ordered(by_locale))}).get("", {}),
        level_by_disposition=withheld(_cross(found, lambda case: case.disposition)),
        level_by_locale=withheld(_cross(found, lambda case: case.locale)),
        response={
            "all": _times(found),
            **{
                level: _times([case for case in found if case.level == level])
                for level in sorted({case.level for case in found})
            },
        },
    )


def _plain(case: HandledCase) -> HandledCase:
    locale = case.locale if LOCALE.fullmatch(case.locale) else OTHER
    disposition = case.disposition or UNRESOLVED
    return HandledCase(case.level, locale, disposition, case.response_s)


def _ordered(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _cross(
    cases: Sequence[HandledCase], column: Callable[[HandledCase], str]
) -> dict[str, dict[str, int]]:
    counts = Counter((case.level, column(case)) for case in cases)
    rows = sorted({row for row, _ in counts})
    columns = sorted({name for _, name in counts})
    return {row: {name: counts[row, name] for name in columns} for row in rows}


def withheld(
    table: Mapping[str, Mapping[str, int]],
) -> dict[str, dict[str, int | None]]:
    """The table with small cells as None, and neighbours so that no total tells them.

    In every row and column that withholds anything, at least two cells are withheld
    that come to 5 or more together, as far as the line has so many; zero is no person
    and stays unless it has to cover for its neighbour.
    """
    hidden = {
        (row, name)
        for row, cells in table.items()
        for name, count in cells.items()
        if 0 < count < SMALLEST_CELL
    }
    columns = {name for cells in table.values() for name in cells}
    lines = [[(row, name) for name in cells] for row, cells in table.items()]
    if len(table) > 1:
        lines += [[(row, name) for row in table] for name in columns]
    while any(_hide_one_more(line, table, hidden) for line in lines):
        pass
    return {
        row: {
            name: None if (row, name) in hidden else count
            for name, count in cells.items()
        }
        for row, cells in table.items()
    }


def _hide_one_more(
    line: Sequence[tuple[str, str]],
    table: Mapping[str, Mapping[str, int]],
    hidden: set[tuple[str, str]],
) -> bool:
    """Withhold the smallest cell still shown, where the line gives itself away."""
    out = [cell for cell in line if cell in hidden]
    together = sum(table[row][name] for row, name in out)
    if not out or (len(out) > 1 and together >= SMALLEST_CELL):
        return False
    shown = [cell for cell in line if cell not in hidden]
    # A zero is withheld only to keep the one cell beside it from being the total.
    chosen = [cell for cell in shown if table[cell[0]][cell[1]]]
    if not chosen and len(out) == 1:
        chosen = shown
    if not chosen:
        return False
    hidden.add(min(chosen, key=lambda cell: (table[cell[0]][cell[1]], cell)))
    return True


def _times(cases: Sequence[HandledCase]) -> ResponseTimes:
    seconds = sorted(c.response_s for c in cases if c.response_s is not None)
    if len(seconds) < SMALLEST_CELL:
        return ResponseTimes(len(seconds), None, None)
    # The nearest rank: a time that somebody really waited.
    p90 = seconds[-(-9 * len(seconds) // 10) - 1]
    return ResponseTimes(len(seconds), round(median(seconds), 1), round(p90, 1))
