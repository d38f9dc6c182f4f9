"""The text classifiers' modules. Importing this file imports torch."""

import torch
from torch import Tensor, nn

from efficiency.workloads.base import PADDING_ID


def _mean_of_tokens(states: Tensor, padding: Tensor) -> Tensor:
    """[N, L, D] and a mask [N, L], True at padding, to the mean [N, D] over what is no padding."""
    kept = (~padding).unsqueeze(-1).to(states.dtype)
    return (states * kept).sum(dim=1) / kept.sum(dim=1).clamp(min=1.0)


class LSTMClassifier(nn.Module):
    """Token ids [N, L] int64 to logits [N, classes]."""

    def __init__(self, vocabulary: int, embedding: int, width: int, layers: int, classes: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding, padding_idx=PADDING_ID)
        self.dropout = nn.Dropout(0.3)
        self.lstm = nn.LSTM(embedding, width, layers, batch_first=True)
        self.head = nn.Linear(width, classes)

    def forward(self, ids: Tensor) -> Tensor:
        states, _ = self.lstm(self.dropout(self.embedding(ids)))
        logits: Tensor = self.head(self.dropout(_mean_of_tokens(states, ids == PADDING_ID)))
        return logits


class TransformerClassifier(nn.Module):
    """Token ids [N, L] int64, L at most `length`, to logits [N, classes]."""

    def __init__(
        self, vocabulary: int, width: int, layers: int, heads: int, feed_forward: int, length: int, classes: int
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=PADDING_ID)
        self.positions = nn.Parameter(torch.zeros(length, width))
        layer = nn.TransformerEncoderLayer(width, heads, feed_forward, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers)
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(width, classes)
        # nn.TransformerEncoder starts with identical copies of one layer.
        for weight in self.encoder.parameters():
            if weight.dim() > 1:
                nn.init.xavier_uniform_(weight)
        nn.init.normal_(self.embedding.weight, std=0.05)
        nn.init.normal_(self.positions, std=0.02)

    def forward(self, ids: Tensor) -> Tensor:
        padding = ids == PADDING_ID
        states = self.dropout(self.embedding(ids) + self.positions[: ids.shape[1]])
        states = self.encoder(states, src_key_padding_mask=padding)
        logits: Tensor = self.head(self.dropout(_mean_of_tokens(states, padding)))
        return logits
