"""MiniLM's word pieces cut down to those the training text uses."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer

from apps.safety.runtime.normalise import normalise

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
SEEN = 2


def plain_tokenizer(content: str) -> Tokenizer:
    """A tokenizer that adds, cuts and pads nothing."""
    tokenizer = Tokenizer.from_str(content)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def pruned(folder: Path, texts: Iterable[str]) -> tuple[list[int], str]:
    """Kept ids of the pretrained vocabulary, and the new tokenizer as JSON.

    Kept: special pieces, pieces of letters and digits seen twice or more, and every
    one- or two-character piece, so that any word can still be spelled out.
    """
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer = plain_tokenizer(json.dumps(content))
    counts: Counter[int] = Counter()
    for text in texts:
        counts.update(tokenizer.encode(normalise(text), add_special_tokens=False).ids)
    pieces = content["model"]["vocab"]
    kept = [
        (piece, number)
        for piece, number in sorted(pieces.items(), key=lambda item: item[1])
        if piece in SPECIAL
        or counts[number] >= SEEN
        or (piece.isascii() and len(piece.removeprefix("##")) <= 2)
    ]
    content["model"]["vocab"] = {piece: n for n, (piece, _) in enumerate(kept)}
    content["added_tokens"] = []
    content["post_processor"] = None
    content["truncation"] = content["padding"] = None
    return [number for _, number in kept], json.dumps(content, ensure_ascii=False)
