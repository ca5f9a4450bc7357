"""From the bytes of a file to rows: JSON lines and CSV, UTF-8 only, one row at a time.

A reader refuses what it cannot read exactly; it never guesses an encoding, never drops
a cell and never fills one in. Errors name a line, never what stands in it.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from apps.datasets.contracts import DatasetSchema, FileFormat, Row, Scalar
from apps.datasets.errors import UnreadableDataset

MAX_ROW_BYTES = 1 << 20
INTEGER = re.compile(r"-?[0-9]{1,15}")
NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?([eE][+-]?[0-9]{1,2})?")


def read_rows(
    stream: BinaryIO,
    file_format: FileFormat,
    schema: DatasetSchema,
    *,
    max_row_bytes: int = MAX_ROW_BYTES,
) -> Iterator[Row]:
    """Rows in file order; UnreadableDataset at the first line that cannot be read."""
    lines = _Lines(stream, max_row_bytes)
    if file_format is FileFormat.CSV:
        rows = _csv_rows(lines, schema)
    else:
        rows = _jsonl_rows(lines)
    found = False
    for locator, (line, values) in enumerate(rows, start=1):
        _refuse_bad_text(values, line)
        found = True
        yield Row(locator, values)
    if not found:
        raise UnreadableDataset("The file holds no rows.")


class _Lines:
    """Decoded lines of at most a row's size; counts lines and bytes since a row."""

    def __init__(self, stream: BinaryIO, max_row_bytes: int) -> None:
        self._stream = stream
        self._limit = max_row_bytes
        self.number = 0
        self.row_bytes = 0

    def __iter__(self) -> Iterator[str]:
        while raw := self._stream.readline(self._limit + 1):
            self.number += 1
            self.row_bytes += len(raw)
            if self.row_bytes > self._limit:
                raise UnreadableDataset(
                    f"The row at line {self.number} is longer than {self._limit} "
                    "bytes: a quote may not be closed, or this is not a row.",
                    extra={"line": self.number},
                )
            yield self._decode(raw)

    def row_ends(self) -> None:
        self.row_bytes = 0

    def _decode(self, raw: bytes) -> str:
        if self.number == 1:
            raw = raw.removeprefix(codecs.BOM_UTF8)
        if b"\0" in raw:
            raise self.error("holds a NUL byte")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.error(
                "is not UTF-8: save the file as UTF-8, with one encoding throughout"
            ) from error

    def error(self, what: str) -> UnreadableDataset:
        return UnreadableDataset(
            f"Line {self.number} {what}.", extra={"line": self.number}
        )


def _jsonl_rows(lines: _Lines) -> Iterator[tuple[int, dict[str, Scalar]]]:
    for text in lines:
        lines.row_ends()
        if text.strip():
            yield lines.number, _json_row(text, lines)


def _json_row(text: str, lines: _Lines) -> dict[str, Scalar]:
    try:
        content = json.loads(
            text, object_pairs_hook=_pairs, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        raise lines.error(
            "is not one complete JSON object: the file may be cut off, or a key "
            "stands twice"
        ) from error
    if not isinstance(content, dict):
        raise lines.error("is not a JSON object")
    if any(isinstance(value, dict | list) for value in content.values()):
        raise lines.error("holds a list or an object where a plain value belongs")
    return content


def _pairs(pairs: list[tuple[str, Scalar]]) -> dict[str, Scalar]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key stands twice")
    return content


def _no_constant(name: str) -> Scalar:
    raise ValueError(f"{name} is not JSON")


def _csv_rows(
    lines: _Lines, schema: DatasetSchema
) -> Iterator[tuple[int, dict[str, Scalar]]]:
    reader = csv.reader(iter(lines), strict=True)
    try:
        header = next(reader, None)
        _check_header(header, schema)
        lines.row_ends()
        types = {spec.name: spec.type for spec in schema.fields}
        for cells in reader:
            lines.row_ends()
            if cells:
                yield lines.number, _csv_row(header or [], cells, types, lines)
    except csv.Error as error:
        raise lines.error(
            "cannot be read as CSV: a quote is not closed or not doubled, or a field "
            "is too long; the file may be cut off"
        ) from error


def _check_header(header: list[str] | None, schema: DatasetSchema) -> None:
    if not header:
        raise UnreadableDataset("The file is empty; CSV needs a header line.")
    known = schema.by_name()
    required = [spec.name for spec in schema.fields if spec.required]
    missing = [name for name in required if name not in header]
    strangers = sum(name not in known for name in header)
    if missing or strangers or len(set(header)) != len(header):
        raise UnreadableDataset(
            f"The header does not fit the schema: missing {', '.join(missing) or '-'}, "
            f"{strangers} unknown, {len(header) - len(set(header))} repeated. "
            f"Expected {', '.join(known)}.",
            extra={"line": 1},
        )


def _csv_row(
    header: list[str], cells: list[str], types: dict[str, str], lines: _Lines
) -> dict[str, Scalar]:
    if len(cells) != len(header):
        raise lines.error(
            f"has {len(cells)} fields where the header has {len(header)}: the file "
            "may be cut off"
        )
    return {
        name: _typed(cell, types[name])
        for name, cell in zip(header, cells, strict=True)
        if cell != ""
    }


def _typed(cell: str, type_name: str) -> Scalar:
    """The cell as its type; unchanged when it is none, for the schema to report."""
    if type_name == "boolean":
        return {"true": True, "false": False}.get(cell.lower(), cell)
    if type_name == "integer" and INTEGER.fullmatch(cell):
        return int(cell)
    if type_name == "number" and NUMBER.fullmatch(cell):
        return float(cell)
    return cell


def _refuse_bad_text(values: dict[str, Scalar], line: int) -> None:
    for text in (*values, *values.values()):
        if not isinstance(text, str):
            continue
        if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
            raise UnreadableDataset(
                f"Line {line} holds a NUL or half of a surrogate pair, which no text "
                "may contain.",
                extra={"line": line},
            )
