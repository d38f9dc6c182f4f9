"""The declaration of a workload in a user's own file, for a process that must not import torch.

The file is the user's own, trusted code, and building its model takes torch. So it is run in a child
process, `python -m efficiency.workloads.user_file path/to/file.py:make`, which answers with one line of
JSON; the declaration made of it here holds everything but what needs the model or the rows.
"""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from efficiency import paths
from efficiency.errors import BadRequest, EfficiencyError, line_in
from efficiency.workloads.base import Dataset, Pace, Training, Workload

if TYPE_CHECKING:
    from torch import nn

TIMEOUT_S = 60.0
"""Time a file has to declare its workload and build the model once."""
MISSING_DATA_S = 30.0
"""Time for which it is believed that a data set is not there."""
_MARK = "user-workload:"
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_described: dict[tuple[Path, str, int], tuple[Workload, float]] = {}
"""By file, function and time of the last change; with the time until which it holds."""


def describe_in_child(name: str) -> Workload:
    """The declaration that `path/to/file.py:make` returns; `build`, `encode` and `load` raise here.

    `weights_in` is filled from the built model where the file leaves it out. Asked for again, an
    unchanged file is not run again. Raises `BadRequest`.
    """
    from efficiency.workloads import file_and_function

    path, function = file_and_function(name)
    modified = path.stat().st_mtime_ns
    known, until = _described.get((path, function, modified), (None, 0.0))
    if known is None or time.monotonic() > until:
        known = _declared(_answer(path, function), f"{path}:{function}")
        complete = all(dataset.why_not() is None for dataset in known.datasets)
        # Data that are missing now may be there a little later.
        until = math.inf if complete else time.monotonic() + MISSING_DATA_S
        _described[path, function, modified] = known, until
    return known


def _answer(path: Path, function: str) -> dict[str, Any]:
    """What the child says of the workload; raises `BadRequest` where it fails, hangs or dies."""
    child = subprocess.Popen(
        [sys.executable, "-m", __name__, f"{path}:{function}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        env=paths.environment(),
        start_new_session=True,
    )
    try:
        output, noise = child.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise BadRequest(
            f"--workload: {path} did not describe its workload within {TIMEOUT_S:g} s; have `build` load "
            "trained weights rather than train, or give `weights_in`."
        ) from None
    finally:
        _end(child)
    for line in reversed(output.splitlines()):
        if line.startswith(_MARK):
            answer: dict[str, Any] = json.loads(line.removeprefix(_MARK))
            if "error" in answer:
                raise BadRequest(" ".join(answer["error"].split()))
            return answer
    last = (noise.strip().splitlines() or ["without a message"])[-1]
    raise BadRequest(f"--workload: {path} ended its process (status {child.returncode}): {last[:300]}.")


def _end(child: subprocess.Popen[str]) -> None:
    """Kill the child and what it started, and close its pipes."""
    if child.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
        child.wait()
    for pipe in (child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()


def _not_here(*_: object) -> NoReturn:
    raise RuntimeError(
        "This workload was only described: its model and data are made in a child process, by "
        "efficiency.workloads.get()."
    )


def _dataset(fields: dict[str, Any]) -> Dataset:
    reason, fetched = fields.pop("why_not"), fields.pop("fetched")
    return Dataset(
        **{**fields, "classes": tuple(fields["classes"]), "splits": tuple(fields["splits"])},
        load=_not_here,
        fingerprint=_not_here,
        why_not=lambda: reason,
        fetch=_not_here if fetched else None,
    )


def _declared(answer: dict[str, Any], source: str) -> Workload:
    return Workload(
        **{
            **answer,
            "datasets": tuple(map(_dataset, answer["datasets"])),
            "training": Training(**answer["training"]),
            "pace": Pace(**answer["pace"]),
        },
        build=_not_here,
        encode=_not_here,
        source=source,
    )


def weights_by_layer(model: nn.Module) -> dict[str, float]:
    """Share of the weights (parameters of more than one dimension) that each layer type holds.

    `conv` is what `nn.Conv2d` holds: the techniques that ask for it are for images. `attention` is what
    `nn.MultiheadAttention` holds, its output projection included; what is none of the types that
    techniques judge by is `other`. Shared weights count once, where they come first.
    """
    from torch import nn

    kinds: tuple[tuple[str, type[nn.Module] | tuple[type[nn.Module], ...]], ...] = (
        ("attention", nn.MultiheadAttention),
        ("conv", nn.Conv2d),
        ("lstm", nn.LSTM),
        ("embedding", (nn.Embedding, nn.EmbeddingBag)),
        ("linear", nn.Linear),
    )
    counts: dict[str, int] = {}
    seen: set[int] = set()
    # A module comes before its parts, so that an output projection is counted as attention.
    for module in model.modules():
        kind = next((kind for kind, types in kinds if isinstance(module, types)), "other")
        for weight in module.parameters(recurse=kind == "attention"):
            if weight.dim() > 1 and id(weight) not in seen:
                seen.add(id(weight))
                counts[kind] = counts.get(kind, 0) + weight.numel()
    total = sum(counts.values())
    return {kind: round(count / total, 4) for kind, count in counts.items()}


def _problem(workload: Workload) -> str | None:
    """The first thing in the declaration that nothing later could make sense of."""
    from efficiency.workloads import WORKLOADS

    if not _SLUG.fullmatch(workload.key):
        return f"the key '{workload.key}' must be small letters, digits and hyphens, such as 'my-model'"
    if workload.key in WORKLOADS:
        return f"the key '{workload.key}' is a built-in workload's; choose another"
    if not workload.datasets:
        return "`datasets` is empty; give at least one"
    if few := next((d for d in workload.datasets if len(d.classes) < 2), None):
        return f"the data set '{few.key}' names fewer than 2 classes"
    keys = [dataset.key for dataset in workload.datasets]
    if odd := next((key for key in keys if not _SLUG.fullmatch(key)), None):
        return f"the data set's key '{odd}' must be small letters, digits and hyphens, such as 'my-data'"
    if twice := next((key for key in keys if keys.count(key) > 1), None):
        return f"two data sets have the key '{twice}'; give each its own"
    return None


def _fields(name: str) -> dict[str, Any]:
    """Run the file, build the model where that is needed, and give the declaration as plain JSON."""
    from efficiency.workloads import get

    workload = get(name)
    if problem := _problem(workload):
        raise BadRequest(f"--workload: in {name} {problem}.")
    if not workload.weights_in:
        model = workload.build(len(workload.datasets[0].classes))
        workload = replace(workload, weights_in=weights_by_layer(model))
    described = {
        field: getattr(workload, field) for field in ("key", "label", "family", "model", "summary", "length", "trained")
    }
    datasets = [
        {
            **{field: getattr(data, field) for field in ("key", "label", "summary", "kind", "test_rows")},
            "classes": list(data.classes),
            "splits": list(data.splits),
            "why_not": data.why_not(),
            "fetched": data.fetch is not None,
        }
        for data in workload.datasets
    ]
    return {
        **described,
        "model": workload.model or workload.label,
        "datasets": datasets,
        "weights_in": dict(workload.weights_in),
        "shape": dict(workload.shape),
        "training": asdict(workload.training),
        "pace": asdict(workload.pace),
    }


def main(name: str) -> None:
    """What the child does: answer on standard output, where nothing else may write."""
    from efficiency.workloads import file_and_function

    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What the file prints, from Python or from C, goes to standard error.
    os.dup2(2, 1)
    try:
        line = json.dumps(_fields(name))
    except EfficiencyError as error:
        line = json.dumps({"error": str(error)})
    except (Exception, SystemExit) as error:
        text = f"--workload: {name} fails: {type(error).__name__}: {error}".rstrip(".")
        line = json.dumps({"error": f"{text}{line_in(error, file_and_function(name)[0])}."})
    answers.write(f"\n{_MARK}{line}\n")
    answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
