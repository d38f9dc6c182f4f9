"""AG News: news items of four kinds, read from the data set's own CSV files.

Found under `EFFICIENCY_DATA/ag_news_csv` or, once downloaded, under `EFFICIENCY_HOME/downloads`.
Source: Zhang, Zhao and LeCun (2015), AG's corpus of news articles, for non-commercial use. Rows are
shorter than 64 tokens as a rule, so their padding is real.
"""

import csv
import hashlib
from functools import cache
from pathlib import Path

import numpy as np

from efficiency import paths
from efficiency.errors import DataUnavailable
from efficiency.workloads.base import Dataset, Progress, Rows, Split
from efficiency.workloads.datasets import tokens
from efficiency.workloads.datasets.cache import Arrays, cached
from efficiency.workloads.datasets.download import download

CLASSES = ("World", "Sports", "Business", "Sci/Tech")
CALIBRATION_ROWS = 500
_SOURCE = "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/master/data/ag_news_csv/"
# As torchtext publishes them for these files.
_MD5 = {"train.csv": "b1a00f826fdfbd249f79597b59e1dc12", "test.csv": "d52ea96a97a2d943681189a97654912d"}


def _downloads() -> Path:
    return paths.home() / "downloads"


def _root() -> Path | None:
    for folder in (paths.user_data(), _downloads()):
        if folder and all((folder / "ag_news_csv" / name).is_file() for name in _MD5):
            return folder / "ag_news_csv"
    return None


def why_not() -> str | None:
    """None where the files are here."""
    if _root():
        return None
    return (
        "AG News is not on this machine: download it, or set EFFICIENCY_DATA to a folder that holds "
        "ag_news_csv/train.csv and test.csv."
    )


def _rows(path: Path) -> tuple[list[list[str]], list[int]]:
    """Tokens and labels 0 to 3 of every line `class 1-4, title, description`."""
    texts, labels = [], []
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.reader(file), start=1):
            if len(row) != 3 or row[0] not in {"1", "2", "3", "4"}:
                raise DataUnavailable(
                    f"Line {number} of {path} is not `class 1-4, title, description`; "
                    "delete the file and download it again."
                )
            texts.append(tokens.tokenize(f"{row[1]} {row[2]}".lower()))
            labels.append(int(row[0]) - 1)
    if len(labels) <= 2 * CALIBRATION_ROWS:
        raise DataUnavailable(f"{path} holds only {len(labels)} rows; delete it and download it again.")
    return texts, labels


@cache
def _arrays(root: Path) -> Arrays:
    digest = hashlib.sha256()
    for name in _MD5:
        digest.update((root / name).read_bytes())

    def make() -> Arrays:
        texts, labels = _rows(root / "train.csv")
        test_texts, test_labels = _rows(root / "test.csv")
        # The file is not shuffled by class everywhere; the order is fixed by the seed.
        order = np.random.default_rng(0).permutation(len(labels))
        train, calibration = order[:-CALIBRATION_ROWS], order[-CALIBRATION_ROWS:]
        words = tokens.vocabulary(texts[row] for row in train)
        inputs, targets = tokens.encode(texts, words), np.array(labels, dtype=np.int64)
        return {
            "train_inputs": inputs[train],
            "train_labels": targets[train],
            "calibration_inputs": inputs[calibration],
            "calibration_labels": targets[calibration],
            "test_inputs": tokens.encode(test_texts, words),
            "test_labels": np.array(test_labels, dtype=np.int64),
        }

    return cached(f"ag-news-{digest.hexdigest()[:16]}", make)


def _found() -> Arrays:
    root = _root()
    if root is None:
        raise DataUnavailable(str(why_not()))
    return _arrays(root)


def load(split: Split, rows: int | None = None) -> Rows:
    """The first `rows` items of a split: inputs [N, 64] int32 token ids."""
    arrays = _found()
    return Rows(arrays[f"{split}_inputs"][:rows], arrays[f"{split}_labels"][:rows].astype(np.int64))


def fetch(progress: Progress) -> None:
    """Download into `EFFICIENCY_HOME/downloads`, checked by MD5; raises `DataUnavailable`."""
    for name, md5 in _MD5.items():

        def told(share: float, name: str = name) -> None:
            progress(f"downloading AG News, {name}", share)

        try:
            told(0.0)
            download(_SOURCE + name, _downloads() / "ag_news_csv" / name, md5, told)
        except DataUnavailable as error:
            raise DataUnavailable(
                f"AG News: {error} Check the network, or set EFFICIENCY_DATA to a folder that holds "
                "ag_news_csv/train.csv and test.csv."
            ) from error
    progress("reading AG News", 1.0)


def fingerprint() -> str:
    """Hash of every encoded row."""
    arrays = _found()
    digest = hashlib.sha256(b"".join(arrays[name].tobytes() for name in sorted(arrays)))
    return f"ag-news-{digest.hexdigest()[:16]}"


AG_NEWS = Dataset(
    key="ag-news",
    label="AG News",
    summary="News items of four kinds, up to 64 words each.",
    kind="text",
    classes=CLASSES,
    load=load,
    fingerprint=fingerprint,
    why_not=why_not,
    fetch=fetch,
)
