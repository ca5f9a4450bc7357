"""Reading files: exact or not at all."""

from __future__ import annotations

import json

import pytest

from apps.datasets.contracts import FileFormat, Row
from apps.datasets.errors import UnreadableDataset
from apps.datasets.readers import read_rows
from tests.datasets.rows import SCHEMA, eight_rows, jsonl, stream, values

HEADER = "id,text,label,split,license,age,weight,adult\n"
LINE = "r1,Rain on the roof,calm,train,CC0-1.0,41,1.5,true\n"


def read(content: bytes | str, kind: FileFormat, **options: int) -> list[Row]:
    return list(read_rows(stream(content), kind, SCHEMA, **options))


def test_json_lines_become_rows_in_file_order() -> None:
    rows = read(jsonl(eight_rows()), FileFormat.JSONL)

    assert [row.locator for row in rows] == list(range(1, 9))
    assert rows[2].values == values(3)


def test_csv_cells_take_the_types_of_the_schema() -> None:
    rows = read(HEADER + LINE, FileFormat.CSV)

    assert rows[0].values["age"] == 41
    assert rows[0].values["weight"] == 1.5
    assert rows[0].values["adult"] is True


@pytest.mark.parametrize("age", ["old", "1_000", "٤١", "nan", "1e999"])
def test_csv_cell_of_another_type_is_kept_for_the_schema_to_report(age: str) -> None:
    rows = read(HEADER + LINE.replace("41", age), FileFormat.CSV)

    assert rows[0].values["age"] == age


def test_csv_and_json_lines_with_the_same_content_give_the_same_rows() -> None:
    names = ["id", "text", "label", "split", "license"]
    text = ",".join(names) + "\r\n"
    text += "".join(
        ",".join(f'"{row[name]}"' for name in names) + "\r\n" for row in eight_rows()
    )

    assert read(text, FileFormat.CSV) == read(jsonl(eight_rows()), FileFormat.JSONL)


def test_byte_order_mark_of_a_spreadsheet_is_no_part_of_the_header() -> None:
    rows = read(b"\xef\xbb\xbf" + (HEADER + LINE).encode(), FileFormat.CSV)

    assert rows[0].values["id"] == "r1"


def test_quoted_csv_field_may_span_lines() -> None:
    content = HEADER + 'r1,"Rain\non ""it""",calm,train,CC0-1.0,,,\n'

    rows = read(content, FileFormat.CSV)

    assert rows[0].values["text"] == 'Rain\non "it"'


BAD_JSONL = {
    "half a line": jsonl(eight_rows())[:-30],
    "no object": b'["r1", "text"]\n',
    "nested": b'{"id": "r1", "text": ["a"]}\n',
    "key twice": b'{"id": "r1", "id": "r2"}\n',
    "NaN": b'{"id": "r1", "weight": NaN}\n',
    "too deep": b"[" * 100_000 + b"\n",
    "huge number": b'{"age": ' + b"9" * 5000 + b"}\n",
    "cp1252": jsonl([values(1)]) + '{"id": "caf\u00e9"}\n'.encode("cp1252"),
    "NUL byte": b'{"id": "r\x001"}\n',
    "NUL escaped": b'{"id": "r\\u00001"}\n',
    "NUL in a key": b'{"i\\u0000d": "r1"}\n',
    "lone surrogate": b'{"id": "r\\ud8001"}\n',
    "empty": b"",
    "only blank lines": b"\n \n",
}


@pytest.mark.parametrize("name", BAD_JSONL)
def test_unreadable_json_lines_are_refused(name: str) -> None:
    with pytest.raises(UnreadableDataset):
        read(BAD_JSONL[name], FileFormat.JSONL)


BAD_CSV = {
    "quote not closed": HEADER + LINE + 'r2,"Rain on the',
    "last fields missing": HEADER + LINE + "r2,Rain,calm\n",
    "a field too many": HEADER + LINE.replace("\n", ",more\n"),
    "missing column": "id,text,label\nr1,Rain,calm\n",
    "unknown column": HEADER.replace("age", "shoe") + LINE,
    "column twice": HEADER.replace("age", "text") + LINE,
    "no header": LINE,
    "only a header": HEADER,
    "empty": "",
    "cp1252": (HEADER + LINE).encode()
    + LINE.replace("roof", "\u00e9").encode("cp1252"),
    "utf-16": (HEADER + LINE).encode("utf-16"),
    "NUL byte": HEADER + LINE.replace("Rain", "Ra\0in"),
}


@pytest.mark.parametrize("name", BAD_CSV)
def test_unreadable_csv_is_refused(name: str) -> None:
    with pytest.raises(UnreadableDataset):
        read(BAD_CSV[name], FileFormat.CSV)


def test_error_names_the_line_and_never_what_stands_in_it() -> None:
    content = jsonl([values(1)]) + b'{"id": "secretive", "text": "half a conf'

    with pytest.raises(UnreadableDataset) as caught:
        read(content, FileFormat.JSONL)

    assert caught.value.extra == {"line": 2}
    assert "secretive" not in str(caught.value)
    assert "half a conf" not in str(caught.value)


@pytest.mark.parametrize("kind", list(FileFormat))
def test_huge_row_is_refused_without_being_read_whole(kind: FileFormat) -> None:
    text = "word " * 10_000
    row = json.dumps({"id": "r1", "text": text})
    content = row if kind is FileFormat.JSONL else HEADER + f'r1,"{text}\n' * 3
    source = stream(content)

    with pytest.raises(UnreadableDataset, match="longer than 1000 bytes"):
        list(read_rows(source, kind, SCHEMA, max_row_bytes=1000))

    assert source.tell() < 3000


def test_csv_quote_left_open_stops_at_the_row_limit() -> None:
    content = HEADER + 'r1,"never closed\n' + LINE * 100

    with pytest.raises(UnreadableDataset, match="a quote may not be closed"):
        read(content, FileFormat.CSV, max_row_bytes=1000)
