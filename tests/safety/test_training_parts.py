"""Figures, calibration, packing and reading: the parts training is made of."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import average_precision_score, roc_auc_score

from apps.core.errors import IntegrityFailure, InvalidInput, Unavailable
from apps.safety.runtime import teacher
from apps.safety.runtime.linear import expand
from apps.safety.training.calibrate import Scale, at_even_odds, edge_at, platt
from apps.safety.training.corpus import SOURCES, data_folder, read_source
from apps.safety.training.fit import Problem, fit
from apps.safety.training.measure import (
    auroc,
    auroc_interval,
    average_precision,
    summary,
    wilson,
)
from apps.safety.training.package import pack

RNG = np.random.default_rng(3)
LABELS = (RNG.random(400) < 0.3).astype(float)
SCORES = np.round(RNG.random(400) * 0.6 + LABELS * 0.3, 2)


def test_auroc_and_average_precision_agree_with_the_reference():
    assert auroc(LABELS, SCORES) == pytest.approx(roc_auc_score(LABELS, SCORES))
    assert average_precision(LABELS, SCORES) == pytest.approx(
        average_precision_score(LABELS, SCORES)
    )


def test_one_sided_labels_have_no_auroc():
    assert math.isnan(auroc(np.ones(3), np.arange(3.0)))
    assert math.isnan(average_precision(np.zeros(3), np.arange(3.0)))
    assert all(map(math.isnan, auroc_interval(math.nan, 3, 0)))


def test_summary_of_one_sided_labels_holds_plain_json():
    figures = summary(np.zeros(20), np.linspace(0, 1, 20), 0.5)

    assert figures["auroc"] is None
    assert figures["recall"] is None
    assert json.loads(json.dumps(figures)) == figures


def test_intervals_contain_the_value_and_narrow_with_counts():
    low, high = wilson(30, 100)
    lower, higher = wilson(300, 1000)

    assert low < 0.3 < high
    assert low < lower < 0.3 < higher < high
    assert wilson(0, 0) == (0.0, 1.0)


def test_platt_recovers_a_known_scale():
    logits = RNG.normal(size=20_000)
    truth = 1 / (1 + np.exp(-2.0 * logits))
    labels = (RNG.random(20_000) < truth).astype(float)

    scale = platt(logits, labels, np.ones(20_000))

    assert scale.slope == pytest.approx(2.0, rel=0.1)
    assert scale.offset == pytest.approx(0.0, abs=0.1)


def test_the_operating_point_moves_to_one_half():
    point = (np.log(0.8 / 0.2) - 0.3) / 2.0

    moved, prior = at_even_odds(Scale(2.0, 0.3), point)

    assert moved(np.array([point]))[0] == pytest.approx(0.5, abs=1e-5)
    assert prior == pytest.approx(0.2)


def test_an_edge_keeps_false_alarms_under_the_share_asked():
    edge = edge_at(SCORES, LABELS, 0.1)

    assert (SCORES[LABELS == 0] >= edge).mean() <= 0.1
    assert (SCORES[LABELS == 0] >= edge - 0.02).mean() > 0.08


def test_packed_weights_stay_close_and_keep_their_signs():
    weights = RNG.normal(scale=0.2, size=(5000, 3)).astype(np.float32)

    packed, scale = pack(weights)
    again = expand(packed, scale)

    assert packed.dtype == np.int8
    assert np.abs(again - weights).max() < 0.02
    assert np.corrcoef(again.ravel(), weights.ravel())[0, 1] > 0.999


def _problem(one_sided: bool) -> Problem:
    rows = sparse.csr_matrix(np.eye(3, dtype=np.float32).repeat(20, axis=0))
    targets = np.array([[1.0]] * 20 + [[0.0]] * 20 + [[1.0]] * 20, np.float32)
    sources = np.zeros(60, np.int64)
    if one_sided:
        sources[40:] = 1
    weights = np.ones((60, 1), np.float32)
    return Problem(rows, targets, weights, sources)


def test_fit_gives_each_feature_the_sign_of_its_class():
    weights, dense = fit(_problem(one_sided=False))

    assert weights[0, 0] > 0 > weights[1, 0]
    assert dense.shape == (0, 1)


def test_a_source_with_one_answer_gets_no_intercept_to_hide_in():
    weights, _ = fit(_problem(one_sided=True))

    assert weights[2, 0] > 0.2


def test_unknown_labels_do_not_teach():
    problem = _problem(one_sided=False)
    problem.weights[:20] = 0.0

    weights, _ = fit(problem)

    assert abs(weights[0, 0]) < 1e-3


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InvalidInput, match="cssrs"):
        list(read_source(tmp_path, SOURCES[0]))


@pytest.mark.parametrize("line", ["{", "[]", '{"text": "a"}', '{"labels": 1}', '"x"'])
def test_a_broken_row_is_named_by_file_and_line_only(tmp_path, line):
    path = tmp_path / SOURCES[0].path
    path.parent.mkdir()
    path.write_text(line + "\n")

    with pytest.raises(InvalidInput, match="line 1"):
        list(read_source(tmp_path, SOURCES[0]))


def test_the_folder_is_found_at_the_root_or_under_it(tmp_path):
    assert data_folder(tmp_path) == tmp_path

    (tmp_path / "gates").mkdir()

    assert data_folder(tmp_path) == tmp_path / "gates"


def test_vocabulary_ranks_words_seen_twice():
    assert list(teacher.vocabulary(["sun moon sun", "sky moon sun"])) == ["sun", "moon"]


def test_a_missing_teacher_says_how_to_go_on(monkeypatch):
    monkeypatch.setattr(teacher, "PACKAGE", "no_such_teacher_package")

    with pytest.raises(Unavailable, match="--no-teacher"):
        teacher.word_prior(["a a b b"])


def test_a_teacher_with_other_weights_is_refused(monkeypatch, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"other")
    package = tmp_path / "other_teacher.py"
    package.write_text(f"def get_model_path():\n    return {str(tmp_path)!r}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(teacher, "PACKAGE", "other_teacher")

    with pytest.raises(IntegrityFailure):
        teacher.word_prior(["a a b b"])


def test_word_vectors_land_in_the_words_own_buckets(monkeypatch):
    monkeypatch.setattr(
        teacher, "_embed", lambda words: RNG.normal(size=(len(words), 384)).astype("f4")
    )

    prior = teacher.word_prior(["sad sad glad glad"])

    filled = np.flatnonzero(np.abs(prior).sum(1))
    expected = {
        teacher.single_bucket(w) - teacher.SHARED_BUCKETS for w in ("sad", "glad")
    }
    assert set(filled) == expected
