"""Rows as JSON lines, CSV or Parquet, piece by piece and in bounded memory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from apps.datasets.contracts import DatasetSchema, Scalar

ROW_GROUP = 1000
Values = dict[str, Scalar]
# Names of Arrow types by the type of a field.
ARROW_TYPES = {
    "string": "string",
    "integer": "int64",
    "number": "float64",
    "boolean": "bool",
}


def as_jsonl(
    rows: Iterator[Values], columns: Sequence[str], schema: DatasetSchema
) -> Iterator[bytes]:
    """One JSON object a line, in UTF-8."""
    for row in rows:
        yield json.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n"


def as_csv(
    rows: Iterator[Values], columns: Sequence[str], schema: DatasetSchema
) -> Iterator[bytes]:
    """A line of names, then RFC 4180; what is missing is an empty cell.

    A cell that a spreadsheet would run as a formula is led by an apostrophe.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in columns])
        yield _drained(buffer)
    if buffer.tell():
        yield _drained(buffer)


def _cell(value: Scalar) -> Scalar:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value


def _drained(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode("utf-8")


def as_parquet(
    rows: Iterator[Values], columns: Sequence[str], schema: DatasetSchema
) -> Iterator[bytes]:
    """One Parquet file; a stream that is cut off has no footer and does not open."""
    # Here and not above: few processes write Parquet, and it takes 40 MB.
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = schema.by_name()
    types = [pa.type_for_alias(ARROW_TYPES[fields[name].type]) for name in columns]
    arrow = pa.schema(list(zip(columns, types, strict=True)))
    pipe = _Pipe()
    writer = pq.ParquetWriter(pa.PythonFile(pipe, mode="w"), arrow, compression="zstd")
    while group := list(islice(rows, ROW_GROUP)):
        writer.write_table(pa.Table.from_pylist(group, schema=arrow))
        yield pipe.taken()
    writer.close()
    yield pipe.taken()


class _Pipe(io.RawIOBase):
    """Keeps what is written until it is taken; positions count from the first byte."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    # Any: whatever has a buffer, as the base class says.
    def write(self, part: Any) -> int:
        content = bytes(part)
        self._parts.append(content)
        self._position += len(content)
        return len(content)

    def tell(self) -> int:
        return self._position

    def taken(self) -> bytes:
        content = b"".join(self._parts)
        self._parts.clear()
        return content


Encoder = Callable[[Iterator[Values], Sequence[str], DatasetSchema], Iterator[bytes]]
ENCODERS: dict[str, tuple[Encoder, str]] = {
    "jsonl": (as_jsonl, "application/jsonl"),
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "parquet": (as_parquet, "application/vnd.apache.parquet"),
}
