"""The workloads: one visible table, and a user's own Python file beside it."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

from efficiency.errors import BadRequest, UnknownName, line_in
from efficiency.workloads.base import Dataset, Workload
from efficiency.workloads.text import LSTM_CLASSIFIER, TRANSFORMER_ENCODER
from efficiency.workloads.vision import MOBILENET_V2, RESNET18, SMALL_CNN

__all__ = ["WORKLOADS", "Dataset", "Workload", "describe", "get", "is_file"]

WORKLOADS: dict[str, Workload] = {
    workload.key: workload for workload in (SMALL_CNN, RESNET18, MOBILENET_V2, LSTM_CLASSIFIER, TRANSFORMER_ENCODER)
}


PICKLES = (".pt", ".pth", ".pkl", ".ckpt", ".bin")


def is_file(name: str) -> bool:
    """Whether the name is `path/to/file.py:make` rather than a key."""
    return ".py:" in name or name.endswith(".py")


def file_and_function(name: str) -> tuple[Path, str]:
    """The parts of `path/to/file.py:make`; the function is `make` where none is named. Raises `BadRequest`."""
    place, _, function = name.rpartition(":") if ".py:" in name else (name, ":", "make")
    path = Path(place).expanduser().resolve()
    if not path.is_file():
        raise BadRequest(f"--workload: there is no file {place}; give path/to/file.py:make.")
    return path, function


def get(name: str) -> Workload:
    """The workload of that key, or the one that `path/to/file.py:make` returns.

    The file is run: it is the user's own, trusted code. Raises `UnknownName` or `BadRequest`.
    """
    if is_file(name):
        return _from_file(name)
    if name.partition(":")[0].endswith(PICKLES):
        raise BadRequest(
            f"--workload: {name} is a pickle, which is never loaded; write a Python file that builds the model "
            "and name it as path/to/file.py:make (docs/adding-a-workload.md)."
        )
    if name not in WORKLOADS:
        raise UnknownName("workload", name, WORKLOADS)
    return WORKLOADS[name]


def describe(name: str) -> Workload:
    """The declaration alone, for a process that must not import torch.

    A built-in workload declares itself without torch; a user's file is run in a child process,
    which answers in JSON. Raises `UnknownName` or `BadRequest`.
    """
    if not is_file(name):
        return get(name)
    from efficiency.workloads.user_file import describe_in_child

    return describe_in_child(name)


def _from_file(name: str) -> Workload:
    path, function = file_and_function(name)
    module_name = f"user_workload_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise BadRequest(f"--workload: {path} is not a Python file; give path/to/file.py:make.")
    module = importlib.util.module_from_spec(spec)
    # Registered first, so that dataclasses and pickling in the user's file find their module.
    sys.modules[module_name] = module
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # The file may import its neighbours.
    try:
        spec.loader.exec_module(module)
        make = getattr(module, function, None)
        workload = None if make is None else make()
    except Exception as error:
        told = f"{type(error).__name__}: {error}".rstrip(".")
        raise BadRequest(f"--workload: {path} does not run: {told}{line_in(error, path)}.") from error
    if make is None:
        raise BadRequest(f"--workload: {path} has no function '{function}'; name one that returns a Workload.")
    if not isinstance(workload, Workload):
        raise BadRequest(f"--workload: {path}:{function} returned no efficiency.workloads.Workload.")
    return replace(workload, source=f"{path}:{function}")
