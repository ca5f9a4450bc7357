"""Hides spans of a text behind typed placeholders."""

from __future__ import annotations

from collections.abc import Iterable

from apps.safety.contracts import Span

WITHHELD = "[WITHHELD]"


def merge_spans(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Without overlaps, in order; joined spans keep the type of the longest."""
    merged: list[Span] = []
    widest = 0
    for span in sorted(spans, key=lambda item: (item.start, -item.end, item.type)):
        if merged and span.start < merged[-1].end:
            last = merged[-1]
            kind = span.type if span.end - span.start > widest else last.type
            widest = max(widest, span.end - span.start)
            merged[-1] = Span(last.start, max(last.end, span.end), kind)
        else:
            merged.append(span)
            widest = span.end - span.start
    return tuple(merged)


def mask(text: str, spans: Iterable[Span]) -> str:
    """The text with each span replaced by its type in brackets, such as ``[EMAIL]``."""
    pieces: list[str] = []
    position = 0
    for span in merge_spans(spans):
        pieces += (text[position : span.start], f"[{span.type}]")
        position = span.end
    return "".join((*pieces, text[position:]))
