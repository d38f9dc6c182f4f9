"""Text classifiers: an LSTM and a transformer encoder over rows of 64 token ids.

Both average over the tokens that are not padding, and both find the padding themselves, from the
ids, so that every technique sees the same one-argument call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from efficiency.workloads.base import Pace, Training, Workload
from efficiency.workloads.datasets.ag_news import AG_NEWS
from efficiency.workloads.datasets.source_code import SOURCE_CODE
from efficiency.workloads.datasets.tokens import LENGTH, VOCABULARY_SIZE

if TYPE_CHECKING:
    import torch
    from torch import nn

EMBEDDING_WIDTH = 256
LSTM_WIDTH, LSTM_LAYERS = 384, 2
ENCODER_LAYERS, ENCODER_HEADS, ENCODER_FEED_FORWARD = 3, 4, 1024


def _token_ids(inputs: NDArray[np.generic]) -> torch.Tensor:
    """Token ids [N, L] int32 to [N, L] int64."""
    import torch

    return torch.from_numpy(np.asarray(inputs, dtype=np.int64))


def lstm_classifier(classes: int) -> nn.Module:
    """Embedding, a two-layer LSTM, the mean over tokens, a linear layer."""
    from efficiency.workloads.text_models import LSTMClassifier

    return LSTMClassifier(VOCABULARY_SIZE, EMBEDDING_WIDTH, LSTM_WIDTH, LSTM_LAYERS, classes)


def transformer_encoder(classes: int) -> nn.Module:
    """Embedding and positions, `nn.TransformerEncoder`, the mean over tokens, a linear layer."""
    from efficiency.workloads.text_models import TransformerClassifier

    return TransformerClassifier(
        VOCABULARY_SIZE, EMBEDDING_WIDTH, ENCODER_LAYERS, ENCODER_HEADS, ENCODER_FEED_FORWARD, LENGTH, classes
    )


LSTM_CLASSIFIER = Workload(
    key="lstm-classifier",
    label="LSTM",
    family="lstm",
    model="LSTM 2×384",
    summary="Two LSTM layers of 384 units over 64 tokens.",
    datasets=(SOURCE_CODE, AG_NEWS),
    build=lstm_classifier,
    encode=_token_ids,
    weights_in={"lstm": 0.67, "embedding": 0.329, "linear": 0.001},
    shape={"vocabulary": VOCABULARY_SIZE, "length": LENGTH, "width": LSTM_WIDTH, "layers": LSTM_LAYERS},
    training=Training(epochs=4, peak_learning_rate=3e-3, least_rows=30_000, most_rows=150_000),
    pace=Pace(evaluated_rows_per_s=900, trained_rows_per_s=200),
    length=LENGTH,
)

TRANSFORMER_ENCODER = Workload(
    key="transformer-encoder",
    label="Transformer",
    family="transformer",
    model="Encoder 3×256",
    summary="Three nn.TransformerEncoder layers of width 256 over 64 tokens.",
    datasets=(SOURCE_CODE, AG_NEWS),
    build=transformer_encoder,
    encode=_token_ids,
    weights_in={"linear": 0.46, "attention": 0.23, "embedding": 0.31},
    shape={"vocabulary": VOCABULARY_SIZE, "length": LENGTH, "width": EMBEDDING_WIDTH, "layers": ENCODER_LAYERS},
    training=Training(epochs=5, peak_learning_rate=1e-3, least_rows=30_000, most_rows=150_000),
    pace=Pace(evaluated_rows_per_s=500, trained_rows_per_s=130),
    length=LENGTH,
)
