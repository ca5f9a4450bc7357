"""Evidence as people read it before they sign: names and values, lists as tables.

It shows what the subject gave and judges nothing; every value is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

NAME = "py-1 pr-6 text-left align-top font-medium"
CELL = "py-1 pr-6 text-left align-top"
WRAP = "overflow-wrap: anywhere"
# Letters of a word that a table may not be widened for.
LONG = 24


def readable(value: object) -> SafeString:
    """Any JSON value as nested tables."""
    if isinstance(value, Mapping):
        return _facts(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _rows(value)
    word = _word(value)
    # Only what has no place to break may break anywhere: digests, long names.
    if max(map(len, word.split()), default=0) < LONG:
        return format_html("<span>{}</span>", word)
    return format_html('<span style="{}">{}</span>', WRAP, word)


def _facts(value: Mapping[str, object]) -> SafeString:
    lines = format_html_join(
        "",
        '<tr><th scope="row" class="{}">{}</th><td class="{}">{}</td></tr>',
        ((NAME, _label(key), CELL, readable(one)) for key, one in value.items()),
    )
    return format_html('<table class="text-sm"><tbody>{}</tbody></table>', lines)


def _rows(value: Sequence[object]) -> SafeString:
    """A list of alike records is one table; any other list, its parts below others."""
    if not value:
        return readable("none")
    first = value[0]
    if isinstance(first, Mapping) and all(_alike(first, one) for one in value):
        return _records(list(first), value)
    return format_html_join("", "<div>{}</div>", ((readable(one),) for one in value))


def _alike(first: Mapping[str, object], other: object) -> bool:
    return isinstance(other, Mapping) and list(other) == list(first)


# object: checked by the caller to be mappings with these keys.
def _records(keys: Sequence[str], value: Sequence[object]) -> SafeString:
    head = format_html_join(
        "",
        '<th scope="col" class="{}">{}</th>',
        ((NAME, _label(key)) for key in keys),
    )
    body = format_html_join(
        "",
        "<tr>{}</tr>",
        ((_cells(one.values()),) for one in value if isinstance(one, Mapping)),
    )
    return format_html(
        '<table class="text-sm"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>',
        head,
        body,
    )


def _cells(values: Iterable[object]) -> SafeString:
    return format_html_join(
        "", '<td class="{}">{}</td>', ((CELL, readable(one)) for one in values)
    )


def _label(key: str) -> str:
    return str(key).replace("_", " ")


def _word(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
