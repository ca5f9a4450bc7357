"""A referral report as JSON and as CSV; the same numbers in both."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict

from apps.safety.referrals import SMALLEST_CELL, ReferralReport

WITHHELD = f"<{SMALLEST_CELL} or withheld"
NOTE = (
    f"Cells under {SMALLEST_CELL} in cross-tables and by locale are withheld, and "
    "others with them so that no sum tells them. Levels are screening signals."
)


def as_json(report: ReferralReport) -> str:
    """A JSON document; a withheld cell is null."""
    content = {**asdict(report), "first": str(report.first), "last": str(report.last)}
    return json.dumps({"note": NOTE, **content}, indent=2) + "\n"


def as_csv(report: ReferralReport) -> str:
    """Rows of measure, row, column, value; a withheld cell says so."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["measure", "row", "column", "value"])
    for row in _rows(report):
        writer.writerow([WITHHELD if cell is None else cell for cell in row])
    return out.getvalue()


def _rows(report: ReferralReport) -> Iterator[tuple[object, ...]]:
    yield "period", "from", "", report.first
    yield "period", "to", "", report.last
    yield "cases", "all", "", report.total
    lists: dict[str, Mapping[str, int | None]] = {
        "by_level": dict(report.by_level),
        "by_disposition": dict(report.by_disposition),
        "by_locale": report.by_locale,
    }
    for measure, counts in lists.items():
        for name, count in counts.items():
            yield measure, name, "", count
    for measure, table in (
        ("level_by_disposition", report.level_by_disposition),
        ("level_by_locale", report.level_by_locale),
    ):
        for row, cells in table.items():
            for column, count in cells.items():
                yield measure, row, column, count
    for level, times in report.response.items():
        yield "response_count", level, "", times.count
        yield "response_median_s", level, "", times.median_s
        yield "response_p90_s", level, "", times.p90_s


WRITERS: Mapping[str, Callable[[ReferralReport], str]] = {
    "csv": as_csv,
    "json": as_json,
}
CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
