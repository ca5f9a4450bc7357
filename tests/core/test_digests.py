"""Canonical JSON and digests: one content, one name."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.digests import (
    canonical_json,
    digest_bytes,
    digest_chunks,
    digest_file,
    digest_json,
    keyed_digest,
)
from apps.core.errors import InvalidInput

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(value=st.dictionaries(st.text("abc"), JSON, max_size=6))
def test_order_of_keys_does_not_matter(value):
    shuffled = dict(reversed(value.items()))

    assert digest_json(shuffled) == digest_json(value)


@given(value=JSON)
def test_every_json_value_has_a_digest(value):
    assert digest_json(value).startswith("sha256:")
    assert len(digest_json(value)) == 71


@pytest.mark.parametrize(
    ("value", "canonical"),
    [
        ({"b": 1, "a": [1.0, 1e21, -0.0]}, b'{"a":[1,1e+21,0],"b":1}'),
        ({"é": "\u20ac\n\x07"}, '{"é":"\u20ac\\n\\u0007"}'.encode()),
    ],
)
def test_canonical_form_is_rfc_8785(value, canonical):
    assert canonical_json(value) == canonical


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 2**53, {1: 2}, "\ud800", {"\udfff": 1}, {1, 2}],
)
def test_what_json_cannot_carry_is_refused(value):
    with pytest.raises(InvalidInput):
        canonical_json(value)


@given(content=st.binary(max_size=300), cut=st.integers(1, 50))
def test_chunks_and_whole_have_one_digest(content, cut):
    chunks = [content[i : i + cut] for i in range(0, len(content), cut)]

    assert digest_chunks(chunks) == digest_bytes(content)


def test_file_has_the_digest_of_its_bytes(tmp_path):
    path = tmp_path / "weights"
    path.write_bytes(b"ab" * 1_000_000)

    expected = hashlib.sha256(b"ab" * 1_000_000).hexdigest()
    assert digest_file(path) == f"sha256:{expected}"


def test_keyed_digest_depends_on_the_key():
    assert keyed_digest(b"k1", b"text") != keyed_digest(b"k2", b"text")
    assert keyed_digest(b"k1", b"text").startswith("hmac-sha256:")
