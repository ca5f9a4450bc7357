"""Weighted multi-head logistic regression by L-BFGS: one thread, no randomness.

Each source of text has an intercept of its own while fitting: how often a source is
positive says how it was collected, not what its words mean. Intercepts are not served;
calibration replaces them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse  # type: ignore[import-untyped]

Matrix = NDArray[np.float32]
Doubles = NDArray[np.float64]

INTERCEPT_PENALTY = 0.01


@dataclass(frozen=True)
class Problem:
    """``targets`` and ``weights`` are (rows, heads); weight 0: label unknown.

    ``sources`` numbers each row's source from 0.
    """

    rows: sparse.csr_matrix
    targets: Matrix
    weights: Matrix
    sources: NDArray[np.int64]
    l2: float = 2e-5
    rounds: int = 45


def _design(problem: Problem) -> sparse.csr_matrix:
    count = len(problem.sources)
    ones = np.ones(count, np.float32)
    member = sparse.csr_matrix((ones, (np.arange(count), problem.sources)))
    return sparse.hstack([problem.rows, member], format="csr", dtype=np.float32)


def fit(problem: Problem) -> Matrix:
    """Weights, (features, heads) float32."""
    design = _design(problem)
    turned = design.T
    names, heads = design.shape[1], problem.targets.shape[1]
    width = problem.rows.shape[1]
    total = np.maximum(problem.weights.sum(0), 1e-9)
    share = np.asarray(problem.weights / total, np.float32)
    penalty = np.full((names, 1), problem.l2, np.float32)
    penalty[width:] *= INTERCEPT_PENALTY

    def objective(flat: Doubles) -> tuple[float, Doubles]:
        weights = flat.reshape(names, heads).astype(np.float32)
        logits = np.asarray(design @ weights)
        soft = np.logaddexp(0, logits) - problem.targets * logits
        slope = share * (1 / (1 + np.exp(-logits)) - problem.targets)
        shrunk = penalty * weights
        loss = (share * soft).sum(dtype=np.float64)
        loss += 0.5 * (shrunk * weights).sum(dtype=np.float64)
        gradient = np.asarray(turned @ slope) + shrunk
        return float(loss), gradient.astype(np.float64).ravel()

    found = optimize.minimize(
        objective,
        np.zeros(names * heads),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": problem.rounds, "maxcor": 6},
    )
    return np.asarray(found.x.reshape(names, heads)[:width], np.float32)
