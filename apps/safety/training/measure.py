"""Figures about a head, each with an interval; pure functions of labels and scores."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Z95 = 1.959964


def auroc(labels: Doubles, scores: Doubles) -> float:
    """Chance that a positive outranks a negative, ties half; nan without both."""
    positive = labels > 0.5
    many, few = int(positive.sum()), int((~positive).sum())
    if not many or not few:
        return math.nan
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2
    total = float(mean_rank[inverse][positive].sum())
    return (total - many * (many + 1) / 2) / (many * few)


def average_precision(labels: Doubles, scores: Doubles) -> float:
    """Area under precision by recall, step-wise, equal scores taken together."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order] > 0.5)
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    if not len(hits) or not hits[-1]:
        return math.nan
    precision = hits[last] / (last + 1)
    gained = np.diff(np.append(0, hits[last])) / hits[-1]
    return float((precision * gained).sum())


def auroc_interval(value: float, positives: int, negatives: int) -> tuple[float, float]:
    """Hanley and McNeil (1982), 95 %."""
    if math.isnan(value):
        return math.nan, math.nan
    q1, q2 = value / (2 - value), 2 * value**2 / (1 + value)
    spread = value * (1 - value) + (positives - 1) * (q1 - value**2)
    spread += (negatives - 1) * (q2 - value**2)
    half = Z95 * math.sqrt(max(0.0, spread) / (positives * negatives))
    return max(0.0, value - half), min(1.0, value + half)


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Wilson score interval of a share, 95 %; (0, 1) when nothing was counted."""
    if not count:
        return 0.0, 1.0
    share, z2 = hits / count, Z95**2
    centre = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = Z95 * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2))
    half /= 1 + z2 / count
    return max(0.0, centre - half), min(1.0, centre + half)


def summary(labels: Doubles, scores: Doubles, threshold: float) -> dict[str, object]:
    """AUROC, average precision, recall and false alarms at the threshold, intervals."""
    positive = labels > 0.5
    many, few = int(positive.sum()), int((~positive).sum())
    value = auroc(labels, scores)
    caught = int((scores[positive] >= threshold).sum())
    alarms = int((scores[~positive] >= threshold).sum())
    return {
        "positives": many,
        "negatives": few,
        "auroc": _plain(value),
        "auroc_interval": [_plain(v) for v in auroc_interval(value, many, few)],
        "average_precision": _plain(average_precision(labels, scores)),
        "recall": _plain(caught / many if many else math.nan),
        "recall_interval": [_plain(v) for v in wilson(caught, many)],
        "false_alarms": _plain(alarms / few if few else math.nan),
        "false_alarms_interval": [_plain(v) for v in wilson(alarms, few)],
    }


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
