"""Fashion-MNIST and AG News as their own loaders find them, and training on first use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from efficiency import workloads
from efficiency.errors import CheckpointRefused, DataUnavailable
from efficiency.workloads import cards, checkpoints
from efficiency.workloads.base import Dataset, Rows, Split, Training, Workload
from efficiency.workloads.datasets.ag_news import AG_NEWS
from efficiency.workloads.datasets.fashion_mnist import FASHION_MNIST

here = pytest.mark.skipif(
    "EFFICIENCY_DATA" not in os.environ, reason="set EFFICIENCY_DATA to a folder with FashionMNIST/raw and ag_news_csv"
)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Two threads that wait for each other at every step take minutes where other work shares the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where these tests keep data that were made: empty at first, so that none is from before."""
    return tmp_path_factory.mktemp("made")


@pytest.fixture
def fresh(home: Path, made: Path) -> Path:
    """A home whose data this file's tests have made, each once."""
    (home / "cache").symlink_to(made)
    return home


def quiet(what: str, share: float) -> None:
    """Progress that nobody reads."""


def some_of(dataset: Dataset, train: int, *, test: int = 1_500, words: int | None = None) -> Dataset:
    """As many rows as a model learns from in seconds; of news the first words alone."""

    def load(split: Split, rows: int | None = None) -> Rows:
        found = dataset.load(split, {"train": train, "test": test}.get(split, rows))
        return Rows(found.inputs[:, :words], found.labels)

    return replace(dataset, load=load)


@here
@pytest.mark.parametrize("dataset", [FASHION_MNIST, AG_NEWS], ids=lambda dataset: dataset.key)
def test_splits_are_whole_and_never_overlap(dataset: Dataset, fresh: Path) -> None:
    splits = {split: dataset.load(split, None) for split in ("train", "calibration", "test")}

    assert dataset.why_not() is None
    rows = {split: {row.tobytes() for row in loaded.inputs} for split, loaded in splits.items()}
    assert len(splits["test"]) >= 1_000
    assert len(splits["calibration"]) == 500
    if dataset is FASHION_MNIST:  # News agencies repeat themselves; photographs do not.
        assert not rows["train"] & rows["test"]
        assert not rows["train"] & rows["calibration"]
    for loaded in splits.values():
        assert set(np.unique(loaded.labels)) == set(range(len(dataset.classes)))
    first = dataset.load("test", 10)
    np.testing.assert_array_equal(first.inputs, splits["test"].inputs[:10])


@here
@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(
    ("name", "dataset", "batch_size", "least_pct"),
    [
        ("vision-small-cnn", some_of(FASHION_MNIST, 20_000), 64, 55.0),
        ("lstm-classifier", some_of(AG_NEWS, 3_000, words=24), 32, 50.0),
    ],
    ids=lambda value: getattr(value, "key", value),
)
def test_first_use_trains_and_keeps_a_checkpoint(
    name: str, dataset: Dataset, batch_size: int, least_pct: float, fresh: Path
) -> None:
    workload = workloads.get(name)
    short: Workload = replace(workload, training=Training(1, 4e-3, batch_size=batch_size))

    card = checkpoints.train_and_save(short, dataset, progress=quiet)

    assert card.accuracy_pct > least_pct
    assert cards.find(workload, dataset) == fresh / "trained" / f"{name}.{dataset.key}.safetensors"
    checkpoints.verify(workload, dataset)


def test_data_that_are_not_here_end_in_a_sentence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EFFICIENCY_DATA", raising=False)
    for dataset in (FASHION_MNIST, AG_NEWS):
        assert "EFFICIENCY_DATA" in str(dataset.why_not())
        with pytest.raises(DataUnavailable, match="EFFICIENCY_DATA"):
            dataset.load("test", 1)


def test_damaged_news_are_refused_by_line(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data" / "ag_news_csv"
    folder.mkdir(parents=True)
    (folder / "train.csv").write_text('"1","a","b"\n"9","a","b"\n')
    (folder / "test.csv").write_text('"1","a","b"\n')
    monkeypatch.setenv("EFFICIENCY_DATA", str(tmp_path / "data"))
    with pytest.raises(DataUnavailable, match="Line 2"):
        AG_NEWS.load("test", 1)


def test_shipped_checkpoints_belong_to_the_installed_data(fresh: Path) -> None:
    for workload in workloads.WORKLOADS.values():
        checkpoints.verify(workload, workload.dataset(None))


def test_a_checkpoint_from_other_data_or_a_broken_one_is_refused(home: Path) -> None:
    workload = workloads.get("vision-small-cnn")
    dataset = workload.dataset(None)
    shipped = cards.find(workload, dataset)
    assert shipped is not None
    trained = home / "trained"
    trained.mkdir()
    for suffix in (".safetensors", ".json"):
        (trained / shipped.with_suffix(suffix).name).write_bytes(shipped.with_suffix(suffix).read_bytes())
    checkpoints.verify(workload, dataset)

    other = replace(dataset, fingerprint=lambda: "other data")
    with pytest.raises(CheckpointRefused, match="trained on other data"):
        checkpoints.verify(workload, other)

    weights = trained / shipped.name
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(CheckpointRefused, match="broken"):
        checkpoints.load(workload, dataset)


@pytest.mark.parametrize(
    "dataset",
    {workload.dataset(None).key: workload.dataset(None) for workload in workloads.WORKLOADS.values()}.values(),
    ids=lambda dataset: dataset.key,
)
def test_built_in_rows_never_overlap_and_come_in_a_fixed_order(dataset: Dataset, fresh: Path) -> None:
    train, calibration, test = (
        [row.tobytes() for row in dataset.load(split, count).inputs]
        for split, count in (("train", None), ("calibration", None), ("test", None))
    )
    assert not set(train) & set(test)
    assert not set(train) & set(calibration)
    assert not set(calibration) & set(test)
    assert len(set(test)) == len(test)
    np.testing.assert_array_equal(dataset.load("test", 20).inputs, dataset.load("test", 700).inputs[:20])
