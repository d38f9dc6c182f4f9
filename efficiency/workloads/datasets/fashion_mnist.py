"""Fashion-MNIST: 28×28 grey images of ten kinds of clothing, read by torchvision's own class.

Found under `EFFICIENCY_DATA` or, once downloaded, under `EFFICIENCY_HOME/downloads`. Source: Xiao,
Rasul and Vollgraf (2017), MIT licence. torchvision checks every download against its MD5.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from efficiency import paths
from efficiency.errors import DataUnavailable
from efficiency.workloads.base import Dataset, Progress, Rows, Split
from efficiency.workloads.datasets.download import download

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
def _torchvisions() -> Any:
    """torchvision's class, kept to the raw files.

    By itself it prefers `FashionMNIST/processed/*.pt`, pickles of an old torchvision, where they are left.
    """
    from efficiency.workloads.torchvision_import import torchvision

    # Of the same name, since the folder is named after the class.
    class FashionMNIST(torchvision().datasets.FashionMNIST):  # type: ignore[misc]
        def _check_legacy_exist(self) -> bool:
            return False

    return FashionMNIST


@cache
def _read(root: Path, train: bool) -> Rows:
    try:
        data = _torchvisions()(str(root), train=train, download=False)
        if len(data.data) != len(data.targets):
            raise ValueError(f"{len(data.data)} images, {len(data.targets)} labels")
    # Its reader of IDX files asserts, looks up and converts.
    except (AssertionError, LookupError, RuntimeError, TypeError, ValueError, OSError) as error:
        raise DataUnavailable(
            f"The Fashion-MNIST files under {root} do not read ({error or type(error).__name__}); delete them and "
            "download again."
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
    known = _torchvisions()
    folder = _downloads() / "FashionMNIST" / "raw"
    try:
        # torchvision would be silent for the whole 31 MB. It takes what lies there, if the MD5 agrees.
        for name, md5 in known.resources:

            def told(share: float, name: str = name) -> None:
                progress(f"downloading Fashion-MNIST, {name}", share)

            told(0.0)
            download(known.mirrors[0] + name, folder / name, md5, told)
        known(str(_downloads()), download=True)
    except (DataUnavailable, RuntimeError, OSError) as error:
        raise DataUnavailable(
            f"Fashion-MNIST: {error} Check the network, or set EFFICIENCY_DATA to a folder that holds FashionMNIST/raw."
        ) from error
    progress("reading Fashion-MNIST", 1.0)


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
