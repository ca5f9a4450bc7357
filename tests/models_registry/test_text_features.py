"""The featuriser: total over Unicode, bounded, the same for equal words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.models_registry.text_features import (
    PADDING,
    FeaturiserConfig,
    feature_batch,
    features_of,
)

KNOWN = [277, 469, 4, 330, 1, 76, 232, 138]
CONFIG = FeaturiserConfig(buckets=512, max_features=64)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)


@given(ANY_TEXT)
def test_any_text_gives_ids_within_bounds(text):
    ids = features_of(text, CONFIG)

    assert len(ids) <= CONFIG.max_features
    assert all(PADDING < code < CONFIG.buckets for code in ids)


@given(st.lists(ANY_TEXT, max_size=5))
def test_a_batch_holds_each_text_in_order(texts):
    batch = feature_batch(texts, CONFIG)

    assert batch.shape[0] == len(texts)
    assert batch.shape[1] >= 1
    for row, text in zip(batch, texts, strict=True):
        ids = features_of(text, CONFIG)
        assert row[: len(ids)].tolist() == ids
        assert not row[len(ids) :].any()


@pytest.mark.parametrize(
    ("one", "other"),
    [("I CAN'T sleep", "i can\u2019t  sleep!"), ("\ufb01ne", "fine")],
)
def test_case_quotes_and_ligatures_do_not_matter(one, other):
    assert features_of(one, CONFIG) == features_of(other, CONFIG)


def test_known_text_keeps_its_ids():
    # A change here is a change of FEATURISER_VERSION: old models would misread.
    assert features_of("so tired", CONFIG) == KNOWN


def test_a_very_long_text_is_cut():
    assert features_of("word " * 100_000, CONFIG) == features_of("word " * 5000, CONFIG)
