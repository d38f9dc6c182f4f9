"""Fashion-MNIST: 28×28 grey images of ten kinds of clothing, read by torchvision's own class.

Found under `EFFICIENCY_DATA` or, once downloaded, under `EFFICIENCY_HOME/downloads`. Source: Xiao,
Rasul and Vollgraf (2017), MIT licence. torchvision checks every download against its MD5.
"""

import hashlib
import logging
from functools import cache
from pathlib import Path

import numpy as np

from efficiency import paths
from efficiency.errors import DataUnavailable
from efficiency.workloads.base import Dataset, Progress, Rows, Split

CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
CALIBRATION_ROWS = 500
_FILES = tuple(f"{part}-{content}-ubyte" for part in ("train", "t10k") for content in ("images-idx3", "labels-idx1"))


def _downloads() -> Path:
    return paths.home() / "downloads"


def _root() -> Path | None:
    for folder in (paths.user_data(), _downloads()):
        if folder and all((folder / "FashionMNIST" / "raw" / name).is_file() for name in _FILES):
            return folder
    return None


def why_not() -> str | None:
    """None where the files are here."""
    if _root():
        return None
    return (
        "Fashion-MNIST is not on this machine: download it, or set EFFICIENCY_DATA to a folder that "
        "holds FashionMNIST/raw."
    )


@cache
def _read(root: Path, train: bool) -> Rows:
    from efficiency.workloads.torchvision_import import torchvision

    try:
        data = torchvision().datasets.FashionMNIST(str(root), train=train, download=False)
    except (RuntimeError, ValueError, OSError) as error:
        raise DataUnavailable(
            f"The Fashion-MNIST files under {root} do not read ({error}); delete them and download again."
        ) from error
    return Rows(data.data.numpy(), data.targets.numpy().astype(np.int64))


def load(split: Split, rows: int | None = None) -> Rows:
    """The first `rows` images of a split: inputs [N, 28, 28] uint8.

    The calibration rows are the last 500 of the training file.
    """
    root = _root()
    if root is None:
        raise DataUnavailable(str(why_not()))
    data = _read(root, train=split != "test")
    part = {
        "train": slice(0, max(0, len(data) - CALIBRATION_ROWS)),
        "calibration": slice(max(0, len(data) - CALIBRATION_ROWS), None),
        "test": slice(None),
    }[split]
    return Rows(data.inputs[part][:rows], data.labels[part][:rows])


def fetch(progress: Progress) -> None:
    """Download into `EFFICIENCY_HOME/downloads`; raises `DataUnavailable`."""
    from efficiency.workloads.torchvision_import import torchvision

    progress("downloading Fashion-MNIST (31 MB)", 0.0)
    try:
        torchvision().datasets.FashionMNIST(str(_downloads()), download=True)
    except (RuntimeError, OSError) as error:
        logging.getLogger(__name__).info("Fashion-MNIST download failed: %s", error)
        raise DataUnavailable(
            "Fashion-MNIST could not be downloaded: check the network, or set EFFICIENCY_DATA to a "
            "folder that holds FashionMNIST/raw."
        ) from error
    progress("downloaded Fashion-MNIST", 1.0)


def fingerprint() -> str:
    """Hash of every row of both files."""
    digest = hashlib.sha256()
    for split in ("train", "calibration", "test"):
        rows = load(split)
        digest.update(rows.inputs.tobytes() + rows.labels.tobytes())
    return f"fashion-mnist-{digest.hexdigest()[:16]}"


FASHION_MNIST = Dataset(
    key="fashion-mnist",
    label="Fashion-MNIST",
    summary="28×28 grey images of ten kinds of clothing.",
    kind="image",
    classes=CLASSES,
    load=load,
    fingerprint=fingerprint,
    why_not=why_not,
    fetch=fetch,
)
