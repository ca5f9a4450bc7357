"""Reading a body: what is accepted, what is refused, and how it is said."""

from __future__ import annotations

import uuid

import orjson
import pytest

from apps.core.errors import PlatformError
from apps.inference.parsing import (
    Limits,
    locale_of,
    parse_json,
    read_idempotency_key,
    read_request,
)

LIMITS = Limits(text_chars=100, context_chars=200)
SECRET = "zebra crossing"


def read(body):
    return read_request(
        body, request_id=uuid.uuid4(), model_name="support", limits=LIMITS
    )


def with_input(**fields):
    return {"input": {"text": "hello", **fields}}


def test_a_full_body_is_read():
    asked = read(
        with_input(context=["a", "b"], locale="en-GB", participant_ref="p:1@x")
    )

    assert (asked.text, asked.context) == ("hello", ("a", "b"))
    assert (asked.locale, asked.participant_ref) == ("en-GB", "p:1@x")


def test_only_the_text_is_needed():
    asked = read(with_input())

    assert (asked.context, asked.locale, asked.participant_ref) == ((), "en", "")


@pytest.mark.parametrize("text", ["x\x00y", "\u202e", "😀" * 100, "ﷺ", "a" * 100])
def test_any_unicode_text_is_read(text):
    body = parse_json(orjson.dumps({"input": {"text": text}}))

    assert read(body).text == text


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "invalid_body"),
        (b"{", "invalid_body"),
        (b'{"input": {"text": "zebra crossing"', "invalid_body"),
        (b"\xff\xfe", "invalid_body"),
        (b'{"input": {"text": NaN}}', "invalid_body"),
        (b"[" * 100_000, "invalid_body"),
        (rb'{"input": {"text": "\ud800 zebra crossing"}}', "invalid_field"),
        (rb'{"input": {"text": "\udc00"}}', "invalid_field"),
    ],
)
def test_bytes_that_are_no_json_are_refused(raw, code):
    with pytest.raises(PlatformError) as raised:
        parse_json(raw)

    assert raised.value.code == code
    assert SECRET not in raised.value.message


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "text",
        3,
        {},
        {"input": None},
        {"input": []},
        {"input": "zebra crossing"},
        {"input": {}},
        {"input": {"text": "hello"}, "zebra crossing": 1},
        with_input(**{"zebra crossing": 1}),
        {"input": {"text": None}},
        {"input": {"text": 3}},
        {"input": {"text": ["zebra crossing"]}},
        {"input": {"text": ""}},
        {"input": {"text": " \n\t\u2003"}},
        with_input(context="zebra crossing"),
        with_input(context=[1]),
        with_input(context=None),
        with_input(context=["x"] * 51),
        with_input(locale=""),
        with_input(locale="zebra crossing"),
        with_input(locale=None),
        with_input(locale="en\n"),
        with_input(participant_ref=""),
        with_input(participant_ref="zebra crossing"),
        with_input(participant_ref="x" * 129),
        with_input(participant_ref=7),
    ],
)
def test_a_body_of_the_wrong_form_is_refused_without_quoting_it(body):
    with pytest.raises(PlatformError) as raised:
        read(body)

    assert raised.value.status == 422
    assert SECRET not in raised.value.message


@pytest.mark.parametrize(
    "body",
    [
        {"input": {"text": "a" * 101}},
        {"input": {"text": "a" * 1_000_000}},
        with_input(context=["a" * 100, "b" * 101]),
    ],
)
def test_too_much_text_is_refused(body):
    with pytest.raises(PlatformError) as raised:
        read(body)

    assert raised.value.status == 413
    assert raised.value.extra["limit_chars"] in (100, 200)


@pytest.mark.parametrize(
    ("body", "locale"),
    [
        (with_input(locale="es-MX"), "es-MX"),
        (with_input(locale=3), "en"),
        (with_input(), "en"),
        ([], "en"),
        ({"input": 3}, "en"),
    ],
)
def test_the_locale_of_a_refused_body_is_found_when_it_can_be(body, locale):
    assert locale_of(body) == locale


def test_an_idempotency_key_is_short_and_plain():
    assert read_idempotency_key(None) == ""
    assert read_idempotency_key("a-1:b.c_D") == "a-1:b.c_D"
    for wrong in ("", "a b", "x" * 201, "ключ", "a\n"):
        with pytest.raises(PlatformError):
            read_idempotency_key(wrong)
