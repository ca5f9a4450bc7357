"""Where each head's operating point stands, measured on dev rows as served.

False alarms are chosen, recall follows. Crisis has two points, for chat lines on short
rows and for posts on human-rated long ones; both are brought to one half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from apps.safety.runtime.linear import LinearScorer
from apps.safety.training.calibrate import at_even_odds, edge_at, platt
from apps.safety.training.examples import HEADS, Example
from apps.safety.training.measure import summary

Matrix = NDArray[np.float32]
Doubles = NDArray[np.float64]
Tensors = Mapping[str, NDArray[np.generic]]
Scales = dict[str, dict[str, float]]

FALSE_ALARMS = {
    "crisis": 0.10,
    "crisis_high": 0.06,
    "violence": 0.03,
    "toxic": 0.10,
    "hate": 0.10,
    "threat": 0.03,
    "sexual": 0.03,
    "insult": 0.03,
    "stereotype": 0.15,
    "inappropriate": 0.15,
}
# Of long human-rated posts; over all human-rated posts this stays under 14 %.
POST_FALSE_ALARMS = 0.105
# Crisis is read as a chat line up to the first, as a post from the second.
SHORT_WORDS, LONG_WORDS = 15, 45
_NEUTRAL = {"slope": 1.0, "offset": 0.0, "threshold": 0.5}


def _is_long(example: Example) -> bool:
    return len(example.text.split()) > (SHORT_WORDS + LONG_WORDS) // 2


def head_rows(
    examples: Sequence[Example], head: str
) -> tuple[list[int], Doubles, Doubles]:
    """Dev rows with a known label for the head, labels and weights."""
    kept = [i for i, e in enumerate(examples) if e.dev and e.weight_for(head)]
    labels = np.array([examples[i].labels[head] for i in kept], np.float64)
    return kept, labels, np.array([examples[i].weight_for(head) for i in kept])


def _scorer(tensors: Tensors, post: Mapping[str, float]) -> LinearScorer:
    neutral = dict.fromkeys(HEADS, _NEUTRAL)
    return LinearScorer(tensors, {"version": "", "heads": neutral, "post": post})


def _logits(scorer: LinearScorer, examples: Sequence[Example]) -> Matrix:
    """(examples, heads) served logits; rows of examples that are not dev stay 0."""
    out = np.zeros((len(examples), len(HEADS)), np.float32)
    for number, example in enumerate(examples):
        if example.dev:
            out[number] = scorer.logits(example.text, example.context)
    return out


def _one_column(from_words: float) -> dict[str, float]:
    """Settings under which only texts longer than this are read as posts."""
    span = {"from_words": from_words, "to_words": from_words + 1.0}
    return {"slope": 1.0, "offset": 0.0, **span}


def _crisis_part(
    tensors: Tensors, examples: Sequence[Example], *, long: bool
) -> tuple[float, float] | None:
    """Slope and operating logit of one crisis column on the rows meant for it."""
    kept, labels, weights = head_rows(examples, "crisis")
    chosen = np.array([_is_long(examples[i]) is long for i in kept], np.bool_)
    scorer = _scorer(tensors, _one_column(-1.0 if long else 1e9))
    column = HEADS.index("crisis")
    if len(set(labels[chosen])) < 2:
        return None
    rows = [i for i, is_chosen in zip(kept, chosen, strict=True) if is_chosen]
    raw = np.array([float(scorer.logits(examples[i].text)[column]) for i in rows])
    slope = platt(raw, labels[chosen], weights[chosen]).slope
    judged = np.array([not long or examples[i].gold for i in rows], np.bool_)
    share = POST_FALSE_ALARMS if long else FALSE_ALARMS["crisis"]
    if not (labels[chosen][judged] < 0.5).any():
        return None
    return slope, edge_at(raw[judged], labels[chosen][judged], share)


def _crisis_scales(
    tensors: Tensors, examples: Sequence[Example]
) -> tuple[dict[str, float], float | None]:
    """How posts are brought to the chat scale, and the operating logit there."""
    span = {"from_words": float(SHORT_WORDS), "to_words": float(LONG_WORDS)}
    chat = _crisis_part(tensors, examples, long=False)
    posts = _crisis_part(tensors, examples, long=True)
    if chat is None or posts is None:
        return {"slope": 1.0, "offset": 0.0, **span}, None
    slope = round(posts[0] / chat[0], 6)
    offset = round(chat[1] - slope * posts[1], 6)
    return {"slope": slope, "offset": offset, **span}, chat[1]


def operating_points(
    tensors: Tensors, examples: Sequence[Example]
) -> tuple[dict[str, object], dict[str, object]]:
    """What the manifest says about heads and posts, and each head's dev figures."""
    post, crisis_point = _crisis_scales(tensors, examples)
    logits = _logits(_scorer(tensors, post), examples)
    heads: Scales = {}
    figures: dict[str, object] = {}
    for column, head in enumerate(HEADS):
        kept, labels, weights = head_rows(examples, head)
        raw = logits[kept, column].astype(np.float64)
        point = edge_at(raw, labels, FALSE_ALARMS[head])
        if head == "crisis" and crisis_point is not None:
            point = crisis_point
        scale, prior = at_even_odds(platt(raw, labels, weights), point)
        fitted = {"slope": scale.slope, "offset": scale.offset}
        heads[head] = {**fitted, "threshold": 0.5, "prior": prior}
        figures[head] = summary(labels, scale(raw), 0.5)
    return {"heads": heads, "post": post}, figures
