"""The network: averaged feature embeddings, a classifier, and two towers that meet.

Small on purpose: it answers on one core in well under a millisecond, and every reply it
can give was written and approved by people.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from apps.models_registry.text_features import PADDING


class ReplyRanker(nn.Module):
    """Ids (batch, length) int64 to category logits (batch, categories) and reply
    scores (batch, replies), both float32."""

    reply_ids: Tensor

    def __init__(
        self,
        *,
        buckets: int,
        dimension: int,
        categories: int,
        reply_ids: Tensor,
        dropout: float,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(buckets, dimension)
        self.dropout = nn.Dropout(dropout)
        self.message_tower = nn.Linear(dimension, dimension)
        self.reply_tower = nn.Linear(dimension, dimension)
        self.category = nn.Linear(dimension, categories)
        self.scale = nn.Parameter(torch.tensor(10.0))
        self.register_buffer("reply_ids", reply_ids)
        nn.init.normal_(self.embedding.weight, std=0.1)

    def pooled(self, ids: Tensor) -> Tensor:
        """Mean embedding of the features that are not padding, (batch, dimension)."""
        mask = (ids != PADDING).unsqueeze(-1).to(self.embedding.weight.dtype)
        total = (self.embedding(ids) * mask).sum(dim=1)
        average: Tensor = total / mask.sum(dim=1).clamp(min=1.0)
        return average

    def reply_vectors(self) -> Tensor:
        """Unit vectors of the library, (replies, dimension)."""
        vectors = self.reply_tower(torch.relu(self.pooled(self.reply_ids)))
        return nn.functional.normalize(vectors, dim=-1)

    def forward(
        self, ids: Tensor, reply_vectors: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        hidden = self.dropout(torch.relu(self.pooled(ids)))
        vectors = nn.functional.normalize(self.message_tower(hidden), dim=-1)
        replies = self.reply_vectors() if reply_vectors is None else reply_vectors
        return self.category(hidden), self.scale * vectors @ replies.T


class ServingGraph(nn.Module):
    """What is exported: the ranker with its reply vectors computed once."""

    vectors: Tensor

    def __init__(self, ranker: ReplyRanker) -> None:
        super().__init__()
        self.ranker = ranker
        self.register_buffer("vectors", ranker.reply_vectors().detach())

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        category, scores = self.ranker(ids, self.vectors)
        return torch.softmax(category, dim=-1), scores
