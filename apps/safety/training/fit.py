"""Weighted multi-head logistic regression by L-BFGS: one thread, no randomness.

A source of text that holds both answers for a head has an intercept of its own while
fitting: how often it is positive says how it was collected, not what its words mean.
Intercepts are not served; calibration replaces them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse, special  # type: ignore[import-untyped]

Matrix = NDArray[np.float32]
Doubles = NDArray[np.float64]
Value = tuple[float, Doubles]

INTERCEPT_PENALTY = 0.01
MIXED = 0.02


@dataclass(frozen=True)
class Problem:
    """``targets`` and ``weights`` are (rows, heads); weight 0: label unknown.

    ``sources`` numbers each row's source from 0; ``dense`` holds further columns.
    """

    rows: sparse.csr_matrix
    targets: Matrix
    weights: Matrix
    sources: NDArray[np.int64]
    dense: Matrix | None = None
    l2: float = 2e-5
    rounds: int = 40


def _design(problem: Problem) -> sparse.csr_matrix:
    count = len(problem.sources)
    ones = np.ones(count, np.float32)
    member = sparse.csr_matrix((ones, (np.arange(count), problem.sources)))
    parts = [problem.rows, ones[:, None], member]
    return sparse.hstack(parts, format="csr", dtype=np.float32)


def _may_move(problem: Problem) -> Matrix:
    """(features + 1 + sources, heads): 0 for intercepts of one-sided sources."""
    known = problem.weights > 0
    sides = []
    for source in range(int(problem.sources.max()) + 1):
        inside = known & (problem.sources == source)[:, None]
        share = (problem.targets * inside).sum(0) / np.maximum(1, inside.sum(0))
        sides.append((share > MIXED) & (share < 1 - MIXED))
    width, heads = problem.rows.shape[1], problem.targets.shape[1]
    return np.concatenate([np.ones((width + 1, heads)), np.array(sides)]).astype("f4")


def _objective(problem: Problem, width: int) -> Callable[[Doubles], Value]:
    design = _design(problem)
    turned = design.T
    heads = problem.targets.shape[1]
    dense = problem.dense
    sparse_names = design.shape[1]
    total = np.maximum(problem.weights.sum(0), 1e-9)
    share = np.asarray(problem.weights / total, np.float32)
    penalty = np.full((width, 1), problem.l2, np.float32)
    penalty[problem.rows.shape[1] : sparse_names] *= INTERCEPT_PENALTY
    moves = np.ones((width, heads), np.float32)
    moves[:sparse_names] = _may_move(problem)

    def objective(flat: Doubles) -> Value:
        weights = flat.reshape(width, heads).astype(np.float32)
        logits = np.asarray(design @ weights[:sparse_names])
        if dense is not None:
            logits += dense @ weights[sparse_names:]
        soft = np.logaddexp(0, logits) - problem.targets * logits
        slope = share * (special.expit(logits) - problem.targets)
        shrunk = penalty * weights
        loss = (share * soft).sum(dtype=np.float64)
        loss += 0.5 * (shrunk * weights).sum(dtype=np.float64)
        parts = [np.asarray(turned @ slope)]
        if dense is not None:
            parts.append(dense.T @ slope)
        gradient = (np.concatenate(parts) + shrunk) * moves
        return float(loss), gradient.astype(np.float64).ravel()

    return objective


def fit(problem: Problem) -> tuple[Matrix, Matrix]:
    """Weights of the sparse columns and of the dense ones, (columns, heads) float32."""
    heads = problem.targets.shape[1]
    columns = problem.rows.shape[1]
    sparse_names = columns + 2 + int(problem.sources.max())
    width = sparse_names + (problem.dense.shape[1] if problem.dense is not None else 0)
    found = optimize.minimize(
        _objective(problem, width),
        np.zeros(width * heads),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": problem.rounds, "maxcor": 6},
    )
    weights = np.asarray(found.x.reshape(width, heads), np.float32)
    return weights[:columns], weights[sparse_names:]
