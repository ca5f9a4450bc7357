"""How the linear classifier and the encoder are joined, and when the first suffices.

Fitted on dev rows scored by both as served. For each head a logistic regression on the
two logits, with offsets by source as in ``training.fit``, then an operating point by
false alarms as in ``training.operating``. Crisis has one fit for chat lines and one for
posts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

from apps.safety.runtime.cascade import SENTENCES_FROM_WORDS
from apps.safety.runtime.encoder import Encoder
from apps.safety.runtime.linear import CARRIED, LinearScorer
from apps.safety.runtime.parts import sentences
from apps.safety.training.calibrate import at_even_odds, edge_at, platt
from apps.safety.training.examples import HEADS, Example
from apps.safety.training.fit import Problem, fit
from apps.safety.training.measure import summary
from apps.safety.training.operating import LONG_WORDS, SHORT_WORDS

Matrix = NDArray[np.float32]
Doubles = NDArray[np.float64]
Fit = dict[str, float]

# Share of dev rows without the head's label that may reach its operating point: rows
# people collected, and rows written to look alarming while they are not.
FALSE_ALARMS = {
    "crisis": (0.08, 0.03),
    "crisis_high": (0.05, 0.02),
    "violence": (0.03, 0.02),
    "toxic": (0.10, 0.04),
    "hate": (0.08, 0.04),
    "threat": (0.03, 0.02),
    "sexual": (0.03, 0.02),
    "insult": (0.03, 0.03),
    "stereotype": (0.15, 0.15),
    "inappropriate": (0.15, 0.12),
}
# Of human-rated posts, the sentence that stands out and the whole together.
POST_FALSE_ALARMS = 0.135
LEAST_POST_FALSE_ALARMS = 0.03
# Share of longer rows without the label whose most suspicious sentence may alarm.
SENTENCE_ALARMS = 0.01
CRISIS_SENTENCE_ALARMS = 0.03
LEAST_MARGIN, USUAL_MARGIN = 1.0, 3.0
FEWEST_ROWS = 50
# Of dev texts that the joined classifiers rightly stop, the share the cascade may lose.
LOST = 0.005
CRISIS_LOST = 0.001
# Never above: the linear classifier alone may let pass, not stop.
SUREST = 0.4
L2 = 1e-4


@dataclass(frozen=True)
class Scored:
    """Dev rows with (rows, 2, heads) logits and (rows, heads) linear probabilities.

    ``sentences`` are the same logits of the sentence that each head's linear
    probability is highest on; nan for a row too short to be read so.
    """

    examples: Sequence[Example]
    logits: Matrix
    first: Matrix
    sentences: Matrix

    def known(self, head: str) -> NDArray[np.int64]:
        rows = [i for i, e in enumerate(self.examples) if e.weight_for(head)]
        return np.array(rows, np.int64)


def score_all(
    linear: LinearScorer,
    encoder: Encoder,
    examples: Sequence[Example],
    tick: Callable[[], object],
) -> Scored:
    """Dev rows as served; a text is read after its last turn where it has one."""
    dev = [e for e in examples if e.dev]
    logits = np.zeros((len(dev), 2, len(HEADS)), np.float32)
    first = np.zeros((len(dev), len(HEADS)), np.float32)
    alone = np.full_like(logits, np.nan)
    for number, example in enumerate(dev):
        logits[number, 0] = linear.logits(example.text, example.context)
        logits[number, 1] = encoder.logits(example.text, example.context)
        first[number] = linear.calibrated(example.text, example.context)
        if len(example.text.split()) >= SENTENCES_FROM_WORDS:
            alone[number] = _sentence_logits(linear, encoder, example.text)
        tick()
    return Scored(dev, logits, first, alone)


def _sentence_logits(linear: LinearScorer, encoder: Encoder, text: str) -> Matrix:
    """(2, heads) of each head's most suspicious sentence."""
    parts = sentences(text)
    logits, probabilities = linear.by_part(parts)
    worst = np.argmax(probabilities, axis=0)
    encoded = {n: encoder.logits(parts[n]) for n in set(worst.tolist())}
    pairs = [
        (logits[n, head], encoded[n][head]) for head, n in enumerate(worst.tolist())
    ]
    return np.array(pairs, np.float32).T


def _labels(scored: Scored, rows: NDArray[np.int64], head: str) -> Doubles:
    return np.array([scored.examples[i].labels[head] for i in rows], np.float64)


def _weights(scored: Scored, rows: NDArray[np.int64], head: str) -> Doubles:
    return np.array([scored.examples[i].weight_for(head) for i in rows])


def _joined(scored: Scored, rows: NDArray[np.int64], head: str) -> tuple[float, float]:
    """Weights of the linear and of the encoder's logit; never negative."""
    column = HEADS.index(head)
    names = [scored.examples[i].source.partition("-")[0] for i in rows]
    numbers = {name: n for n, name in enumerate(dict.fromkeys(names))}
    problem = Problem(
        rows=sparse.csr_matrix(scored.logits[rows, :, column]),
        targets=_labels(scored, rows, head).astype("f4")[:, None],
        weights=_weights(scored, rows, head).astype("f4")[:, None],
        sources=np.array([numbers[name] for name in names]),
        l2=L2,
    )
    weights, _ = fit(problem)
    linear, encoder = (max(0.0, float(w)) for w in weights[:, 0])
    return round(linear, 5), round(max(encoder, 1e-3), 5)


def _fit(
    scored: Scored,
    rows: NDArray[np.int64],
    head: str,
    points: Sequence[tuple[NDArray[np.bool_], float]],
) -> Fit:
    """``points`` holds which of ``rows`` are judged together, and at what share."""
    linear, encoder = _joined(scored, rows, head)
    column = HEADS.index(head)
    raw = scored.logits[rows, :, column].astype(np.float64) @ [linear, encoder]
    labels = _labels(scored, rows, head)
    edges = [
        edge_at(raw[judged], labels[judged], share)
        for judged, share in points
        if (labels[judged] < 0.5).sum() >= 1 / share
    ]
    scale, _ = at_even_odds(
        platt(raw, labels, _weights(scored, rows, head)), max(edges, default=0.0)
    )
    return {
        "linear": round(scale.slope * linear, 5),
        "encoder": round(scale.slope * encoder, 5),
        "offset": scale.offset,
    }


def _chat_fit(scored: Scored, head: str) -> Fit:
    rows = scored.known(head)
    if head == "crisis":
        rows = np.array([i for i in rows if not _is_long(scored.examples[i])])
    written = np.array([scored.examples[i].is_written for i in rows], np.bool_)
    collected_share, written_share = FALSE_ALARMS[head]
    return _fit(
        scored, rows, head, [(~written, collected_share), (written, written_share)]
    )


def _post_fit(scored: Scored, alarmed: NDArray[np.bool_]) -> Fit:
    """``alarmed`` rows stand out by a sentence already, whatever the whole says."""
    rows = np.array([i for i in scored.known("crisis") if _is_long(scored.examples[i])])
    gold = np.array([scored.examples[i].gold for i in rows], np.bool_)
    calm = gold & (_labels(scored, rows, "crisis") < 0.5)
    left = gold & ~(alarmed[rows] & calm)
    allowed = POST_FALSE_ALARMS * calm.sum() - (calm & alarmed[rows]).sum()
    share = max(LEAST_POST_FALSE_ALARMS, allowed / max(1, (calm & left).sum()))
    return _fit(scored, rows, "crisis", [(left, share)])


def _alone(scored: Scored, chat: dict[str, Fit]) -> Doubles:
    """(rows, heads) log-odds of the sentences, joined as chat lines are."""
    fits = [chat[head] for head in HEADS]
    pair = np.array([[f["linear"] for f in fits], [f["encoder"] for f in fits]])
    offset = np.array([f["offset"] for f in fits])
    return np.asarray((scored.sentences * pair).sum(axis=1) + offset, np.float64)


def _margins(scored: Scored, alone: Doubles) -> Fit:
    """For each head, log-odds that few sentences of rows without the label reach."""
    margins = {}
    for column, head in enumerate(HEADS):
        rows = scored.known(head)
        calm = rows[_labels(scored, rows, head) < 0.5]
        values = alone[calm, column]
        values = np.sort(values[~np.isnan(values)])
        share = CRISIS_SENTENCE_ALARMS if head == "crisis" else SENTENCE_ALARMS
        margin = USUAL_MARGIN
        if len(values) >= FEWEST_ROWS:
            margin = max(LEAST_MARGIN, float(values[int((1 - share) * len(values))]))
        margins[head] = round(margin, 4)
    return margins


def _is_long(example: Example) -> bool:
    return len(example.text.split()) > (SHORT_WORDS + LONG_WORDS) // 2


def _by_whole(scored: Scored, tables: Mapping[str, Any]) -> Doubles:
    """(rows, heads) log-odds of whole texts, as ``CascadeScorer.joined`` gives them."""
    words = np.array([len(e.text.split()) for e in scored.examples])
    share = np.clip((words - SHORT_WORDS) / (LONG_WORDS - SHORT_WORDS), 0, 1)[:, None]
    z = np.zeros((len(words), len(HEADS)))
    for kind, part in (("chat", 1 - share), ("post", share)):
        fits = [tables[kind][head] for head in HEADS]
        pair = np.array([[f["linear"] for f in fits], [f["encoder"] for f in fits]])
        offset = np.array([f["offset"] for f in fits])
        z += part * ((scored.logits * pair).sum(axis=1) + offset)
    return z


def _sure(scored: Scored, log_odds: Doubles) -> Fit:
    """For each head, the linear probability under which almost nothing is lost."""
    points = {}
    for column, head in enumerate(HEADS):
        rows = scored.known(head)
        labels = _labels(scored, rows, head)
        caught = rows[(labels > 0.5) & (log_odds[rows, column] >= 0)]
        found = np.sort(scored.first[caught, column])
        lost = CRISIS_LOST if head in CARRIED else LOST
        point = float(found[int(lost * len(found))]) if len(found) else 0.0
        if head in CARRIED:
            # Written lines bear no doubtful label: none of those may be lost.
            written = [scored.examples[i].is_written for i in caught]
            point = min([point, *(0.99 * scored.first[caught[written], column])])
        points[head] = round(min(float(point), SUREST), 6)
    return points


def fuse(scored: Scored) -> tuple[dict[str, object], dict[str, object]]:
    """The manifest's ``fusion``, and each head's figures on dev rows."""
    chat = {head: _chat_fit(scored, head) for head in HEADS}
    alone = _alone(scored, chat)
    margin = _margins(scored, alone)
    alarmed = alone[:, HEADS.index("crisis")] >= margin["crisis"]
    post = chat | {"crisis": _post_fit(scored, alarmed)}
    whole = _by_whole(scored, {"chat": chat, "post": post})
    either = np.fmax(whole, alone - [margin[head] for head in HEADS])
    figures: dict[str, object] = {}
    for column, head in enumerate(HEADS):
        rows = scored.known(head)
        odds = either[rows, column].clip(-30, 30)
        labels = _labels(scored, rows, head)
        figures[head] = summary(labels, 1 / (1 + np.exp(-odds)), 0.5)
    fusion = {
        "from_words": SHORT_WORDS,
        "to_words": LONG_WORDS,
        "sure": _sure(scored, whole),
        "margin": margin,
        "chat": chat,
        "post": post,
    }
    return fusion, figures
