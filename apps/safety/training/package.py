"""Fitted weights to the two files that are shipped, the same bytes each time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from apps.core.digests import digest_bytes
from apps.safety.runtime.features import SCHEME
from apps.safety.runtime.linear import MANIFEST, WEIGHTS

Matrix = NDArray[np.float32]
CODES = 127.0
CLIP_QUANTILE = 0.99999


def pack(weights: Matrix) -> tuple[NDArray[np.int8], Matrix]:
    """8-bit signed-square codes and one scale a column; inverse of ``expand``."""
    size = np.abs(weights)
    scale = np.maximum(np.quantile(size, CLIP_QUANTILE, axis=0), 1e-9)
    scale = np.asarray(scale, np.float32)
    unit = np.sqrt(np.minimum(size / scale, 1.0)) * np.sign(weights)
    return np.asarray(np.rint(unit * CODES), np.int8), scale


def tensors_of(table: Matrix, cross: Matrix) -> dict[str, NDArray[np.generic]]:
    """``table`` (BUCKETS, heads + 2), ``cross`` (CROSS_BUCKETS,)."""
    table = table.copy()
    table[0] = 0.0
    packed, scale = pack(table)
    cross_packed, cross_scale = pack(cross[:, None])
    return {
        "table": packed,
        "scale": scale,
        "cross": cross_packed[:, 0].copy(),
        "cross_scale": cross_scale,
    }


def write(
    folder: Path,
    tensors: Mapping[str, NDArray[np.generic]],
    scales: Mapping[str, object],
    training: Mapping[str, object],
) -> dict[str, object]:
    """Writes weights and manifest; returns the manifest.

    ``scales`` holds ``heads`` (calibration) and ``post``.
    """
    content = save(dict(tensors))
    digest = digest_bytes(content)
    manifest: dict[str, object] = {
        "name": "gate-linear",
        "version": f"linear-1+{digest[7:15]}",
        "scheme": SCHEME,
        "digest": digest,
        **scales,
        "training": training,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(content)
    text = json.dumps(manifest, indent=1, sort_keys=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return manifest
