"""The encoder that is trained: the first layers of MiniLM and one head a question.

The text stands after an optional turn before it; token types tell the two apart, and
only the text's own tokens are pooled, so that a head speaks about the text *in the
light of* the turn, never about the turn.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModel

from apps.safety.training.examples import HEADS

LAYERS = 3
HIDDEN, SHARED = 384, 256
LONGEST = 128


class GateEncoder(nn.Module):
    """Token ids, attention mask and token types, each (texts, tokens) int64, to
    (texts, heads) logits."""

    def __init__(self, folder: Path, kept: list[int]) -> None:
        super().__init__()
        trunk: Any = AutoModel.from_pretrained(folder, attn_implementation="eager")
        trunk.pooler = None
        trunk.encoder.layer = trunk.encoder.layer[:LAYERS]
        trunk.config.num_hidden_layers = LAYERS
        words = trunk.embeddings.word_embeddings.weight.detach()[kept].clone()
        trunk.embeddings.word_embeddings = _table(words)
        types = trunk.embeddings.token_type_embeddings.weight
        with torch.no_grad():
            types[1] = types[0]
        places = trunk.embeddings.position_embeddings.weight.detach()[:LONGEST].clone()
        trunk.embeddings.position_embeddings = _table(places)
        trunk.config.vocab_size = len(kept)
        trunk.config.max_position_embeddings = LONGEST
        self.trunk = trunk
        self.shared = nn.Linear(2 * HIDDEN, SHARED)
        self.heads = nn.Linear(SHARED, len(HEADS))
        self.dropout = nn.Dropout(0.1)

    def forward(
        self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor
    ) -> torch.Tensor:
        states = self.trunk(
            input_ids=ids, attention_mask=mask, token_type_ids=types
        ).last_hidden_state
        own = (types * mask).unsqueeze(-1).to(states.dtype)
        mean = (states * own).sum(1) / own.sum(1).clamp(min=1.0)
        peak = (states * own + (own - 1.0) * 1e4).max(1).values
        pooled = torch.cat([mean, peak], dim=1)
        hidden = nn.functional.gelu(self.shared(self.dropout(pooled)))
        logits: torch.Tensor = self.heads(self.dropout(hidden))
        return logits


def _table(rows: torch.Tensor) -> nn.Embedding:
    table = nn.Embedding(*rows.shape)
    table.weight.data.copy_(rows)
    return table
