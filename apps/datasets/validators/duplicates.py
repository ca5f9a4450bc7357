"""Does a row stand twice, or nearly, and above all: in two splits at once?

A near copy of a training row in the test split makes every measured number too good;
that is leakage, and it quarantines the version. Copies within a split are a warning.

Near copies: MinHash over word 3-grams with banding (Broder 1997; Leskovec, Rajaraman,
Ullman, Mining of Massive Datasets, section 3.4), 16 bands of 4, so a pair at Jaccard
0.7 is met with probability 0.99; each candidate pair is then compared exactly.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
import unicodedata

import numpy as np
import numpy.typing as npt

from apps.datasets.contracts import (
    DatasetValidator,
    Finding,
    Row,
    Severity,
    Tally,
    ValidationContext,
)

SHINGLE_WORDS = 3
BANDS, BAND_ROWS = 16, 4
NEAR_JACCARD = 0.7
# Rows kept for comparison per bucket: bounds the work when very many rows agree.
BUCKET_ROWS = 8
MAX_SHINGLES = 4096
SEVERITIES = {
    "duplicates.id": Severity.ERROR,
    "duplicates.exact_across_splits": Severity.ERROR,
    "duplicates.near_across_splits": Severity.ERROR,
    "duplicates.exact": Severity.WARNING,
    "duplicates.near": Severity.WARNING,
}
Hashes = npt.NDArray[np.uint64]


def normalise(text: str) -> str:
    """Case, width and spacing removed: what makes two texts the same to a reader."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def shingles(text: str) -> Hashes:
    """Sorted 32-bit hashes of the word 3-grams; of the whole text when shorter."""
    words = re.findall(r"\w+", text)
    count = max(1, len(words) - SHINGLE_WORDS + 1)
    grams = {" ".join(words[i : i + SHINGLE_WORDS]) for i in range(count)}
    hashed = [
        int.from_bytes(hashlib.blake2b(gram.encode(), digest_size=4).digest())
        for gram in grams
    ]
    return np.array(sorted(set(hashed))[:MAX_SHINGLES], dtype=np.uint64)


def jaccard(left: Hashes, right: Hashes) -> float:
    """Size of the common part over the size of the whole, in [0, 1]."""
    common = int(np.intersect1d(left, right, assume_unique=True).size)
    return common / (left.size + right.size - common)


def _multipliers() -> tuple[Hashes, Hashes]:
    """Fixed odd multipliers below 2**28: a 32-bit hash times one stays in 64 bits."""
    rng = np.random.default_rng(20261123)
    size = BANDS * BAND_ROWS
    a = rng.integers(1, 1 << 28, size=size, dtype=np.uint64) | np.uint64(1)
    return a, rng.integers(0, 1 << 28, size=size, dtype=np.uint64)


_A, _B = _multipliers()


def band_keys(hashes: Hashes) -> list[bytes]:
    """One key per band of the MinHash signature."""
    permuted = hashes[:, None] * _A[None, :] + _B[None, :]
    permuted ^= permuted >> np.uint64(29)
    permuted = (permuted * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)
    signature = permuted.min(axis=0).reshape(BANDS, BAND_ROWS)
    return [
        hashlib.blake2b(bytes([band]) + part.tobytes(), digest_size=8).digest()
        for band, part in enumerate(signature)
    ]


class DuplicateValidator(DatasetValidator):
    """Memory: constant; what must be remembered lies in a scratch file on disk.

    The scratch file is SQLite's private temporary database (16 keys of 8 bytes and at
    most 16 KiB of hashes a row), no table of the platform, and gone at ``close``. It
    holds hashes only. Within one bucket the first 8 rows of each split are compared.
    """

    name = "duplicates"
    version = "1"

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._tally = Tally(SEVERITIES)
        self._scratch = sqlite3.connect("", isolation_level=None)
        self._scratch.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA cache_size=-8000; BEGIN;"
            "CREATE TABLE ids (key BLOB PRIMARY KEY) WITHOUT ROWID;"
            "CREATE TABLE texts (key BLOB, split TEXT, PRIMARY KEY (key, split))"
            " WITHOUT ROWID;"
            "CREATE TABLE bands (key BLOB, split TEXT, row INTEGER);"
            "CREATE INDEX bands_key ON bands (key, split);"
            "CREATE TABLE hashes (row INTEGER PRIMARY KEY, content BLOB);"
        )

    def observe(self, row: Row) -> None:
        identifier = self.schema.value(row, "id")
        if identifier is not None and not self._new_id(str(identifier)):
            self._tally.add("duplicates.id", row.locator)
        text = self.schema.value(row, "text")
        if isinstance(text, str) and text.strip():
            split = str(self.schema.value(row, "split") or "")
            self._compare(normalise(text), split, row.locator)

    def _new_id(self, identifier: str) -> bool:
        statement = "INSERT OR IGNORE INTO ids VALUES (?)"
        return self._scratch.execute(statement, (_key(identifier),)).rowcount == 1

    def _compare(self, text: str, split: str, locator: int) -> None:
        splits = self._splits_of(text)
        if splits:
            across = splits != {split}
            code = "duplicates.exact_across_splits" if across else "duplicates.exact"
            self._tally.add(code, locator)
            self._remember_text(text, split)
            return
        self._remember_text(text, split)
        hashes = shingles(text)
        keys = band_keys(hashes)
        near = self._near_splits(hashes, keys)
        if near:
            across = near != {split}
            code = "duplicates.near_across_splits" if across else "duplicates.near"
            self._tally.add(code, locator)
        self._remember_bands(hashes, keys, split, locator)

    def _splits_of(self, text: str) -> set[str]:
        statement = "SELECT split FROM texts WHERE key = ?"
        return {split for (split,) in self._scratch.execute(statement, (_key(text),))}

    def _remember_text(self, text: str, split: str) -> None:
        self._scratch.execute(
            "INSERT OR IGNORE INTO texts VALUES (?, ?)", (_key(text), split)
        )

    def _near_splits(self, hashes: Hashes, keys: list[bytes]) -> set[str]:
        marks = ",".join("?" * len(keys))
        candidates = self._scratch.execute(
            "SELECT DISTINCT bands.split, hashes.content FROM bands "  # noqa: S608
            f"JOIN hashes USING (row) WHERE bands.key IN ({marks})",
            keys,
        )
        return {
            split
            for split, content in candidates
            if jaccard(hashes, np.frombuffer(content, dtype=np.uint64)) >= NEAR_JACCARD
        }

    def _remember_bands(
        self, hashes: Hashes, keys: list[bytes], split: str, locator: int
    ) -> None:
        self._scratch.executemany(
            "INSERT INTO bands SELECT ?1, ?2, ?3 WHERE "
            "(SELECT count(*) FROM bands WHERE key = ?1 AND split = ?2) < ?4",
            [(key, split, locator, BUCKET_ROWS) for key in keys],
        )
        self._scratch.execute(
            "INSERT OR IGNORE INTO hashes VALUES (?, ?)", (locator, hashes.tobytes())
        )

    def findings(self) -> tuple[Finding, ...]:
        return self._tally.findings()

    def close(self) -> None:
        self._scratch.close()


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
