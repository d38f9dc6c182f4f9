"""What a workload is: a model with its data. Declarations only; torch enters where they are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch
    from torch import nn

Split = Literal["train", "calibration", "test"]
Progress = Callable[[str, float], None]
"""Called with what is being done and the share done, 0 to 1."""


@dataclass(frozen=True)
class Rows:
    """Examples of one split: `inputs` [N, ...] as the data set has them, `labels` [N] int64."""

    inputs: NDArray[np.generic]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """Labelled examples in three splits that never overlap.

    `load(split, rows)` returns the first `rows` examples of a split (all when None), in an order
    fixed by the data set, and raises `DataUnavailable`. `why_not()` is None where `load` would work
    without a network, else the sentence to show. `fingerprint()` names the exact data: a checkpoint
    is only used with data of the fingerprint it was trained on.
    """

    key: str
    label: str
    summary: str
    kind: Literal["image", "text", "other"]
    classes: tuple[str, ...]
    load: Callable[[Split, int | None], Rows]
    fingerprint: Callable[[], str]
    why_not: Callable[[], str | None] = lambda: None
    fetch: Callable[[Progress], None] | None = None
    """Downloads the data, where that is possible; raises `DataUnavailable`."""
    test_rows: int | None = None
    """Rows of the test split where that is known without loading it."""
    splits: tuple[Split, ...] = ("train", "calibration", "test")
    """Those it has. A model that brings its weights along may have none to train on."""


@dataclass(frozen=True)
class Training:
    """How the reference checkpoint is trained: AdamW under a one-cycle schedule."""

    epochs: int
    peak_learning_rate: float
    batch_size: int = 128
    weight_decay: float = 0.01
    least_rows: int = 0
    """Rows to be seen at least, over all epochs: a small data set takes more of them."""
    most_rows: int | None = None
    """Rows to be seen at most: a large data set takes fewer epochs, but a whole one."""

    def epochs_on(self, rows: int) -> int:
        """Passes over a training split of that many rows."""
        epochs = max(self.epochs, -(-self.least_rows // rows))
        return epochs if self.most_rows is None else max(1, min(epochs, self.most_rows // rows))


@dataclass(frozen=True)
class Pace:
    """Rough speed on a 2-core server CPU; only time estimates rest on it.

    Rows a second in FP32 with two threads, for evaluation and for training.
    """

    evaluated_rows_per_s: float
    trained_rows_per_s: float


@dataclass(frozen=True)
class Workload:
    """A model with its data, its metric (top-1 accuracy) and its sample input.

    `build(classes)` returns the untrained FP32 module, or the trained one where `trained` is set.
    `encode(inputs)` turns a data set's inputs [N, ...] into the model's input tensor [N, ...]; it gets
    some rows at a time. Text is cut and filled up to `length` afterwards.
    `weights_in` gives the share of the weights that each layer type holds (`conv` for `nn.Conv2d`,
    `linear`, `attention`, `lstm`, `embedding`); techniques judge by it whether they apply. A user's file may
    leave it out: it is then read off the built model.
    """

    key: str
    label: str
    summary: str
    datasets: tuple[Dataset, ...]
    build: Callable[[int], nn.Module]
    encode: Callable[[NDArray[np.generic]], torch.Tensor]
    family: str = "other"
    model: str = ""
    weights_in: Mapping[str, float] = field(default_factory=dict)
    shape: Mapping[str, int] = field(default_factory=dict)
    training: Training = Training(epochs=3, peak_learning_rate=1e-3)
    pace: Pace = Pace(500, 100)
    length: int | None = None
    """Tokens in a row, for text; None where rows have no length."""
    trained: bool = False
    source: str = ""
    """`path/to/file.py:make`, where the workload comes from a user's own file; filled in when it is run."""

    @property
    def name(self) -> str:
        """What the command line and a study call it: the key, or the user's file and its function."""
        return self.source or self.key

    def dataset(self, key: str | None) -> Dataset:
        """The data set of that key, the default one for None; raises `UnknownName`."""
        from efficiency.errors import UnknownName

        if key is None:
            return self.datasets[0]
        for dataset in self.datasets:
            if dataset.key == key:
                return dataset
        raise UnknownName(f"data set for {self.key}", key, [d.key for d in self.datasets])


PADDING_ID = 0
"""Token that fills a row up; text models mask it."""
