"""How a script makes the FP32 model: the workload's own code, copied, or a user's file, imported by its path."""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from pathlib import Path

from efficiency.condition import Condition
from efficiency.workloads import file_and_function
from efficiency.workloads.base import Workload


@dataclass(frozen=True)
class Build:
    """What makes the untrained model: `call`, an expression, after `before`, statements that run a user's file."""

    call: str
    uses: tuple[str, ...]
    imports: tuple[str, ...] = ()
    before: str = ""


def of(workload: Workload) -> Build:
    """For a built-in workload and for one of a user's file, which has to be here: raises `BadRequest`."""
    if not workload.source:
        return Build(f"{workload.build.__name__}(CLASSES)", (f"{workload.build.__module__}:{workload.build.__name__}",))
    path, function = file_and_function(workload.source)
    made = f"from_file({json.dumps(path.as_posix(), ensure_ascii=False)}, {json.dumps(function)})"
    return Build("workload.build(CLASSES)", (f"{__name__}:from_file",), before=f"workload = {made}\n")


def from_file(file: str, function: str):  # type: ignore[no-untyped-def]
    """What the function of that Python file returns."""
    import importlib.util
    import sys

    sys.path.append(str(Path(file).parent))  # The file may import its neighbours.
    # Under a name of its own: a file called profile.py must not stand in place of Python's.
    spec = importlib.util.spec_from_file_location(f"user_workload_{Path(file).stem}", file)
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    return getattr(module, function)()


def form_of_rows(workload: Workload, condition: Condition) -> str:
    """What a row has to be for the model, in a sentence."""
    shape = f", cut or filled up with 0 to L = {condition.length or workload.length}" if workload.length else ""
    if workload.source:
        file = Path(workload.source.rpartition(":")[0]).name
        return f"What the model takes is what `encode` of {file} makes of rows{shape}."
    said = (inspect.getdoc(workload.encode) or "as it stands").splitlines()[0].rstrip(".")
    return f"What the model takes is made of the data set's rows: {said[0].lower()}{said[1:]}{shape}."


def note(workload: Workload) -> str:
    """What the script needs from elsewhere; empty where it needs nothing."""
    if not workload.source:
        return ""
    return (
        f"The model is built by your own file, {workload.source}, which is imported by its path; what it imports "
        "itself has to be found, the package `efficiency` included."
    )
