"""What a study prepared for one row, as a zip: what a runtime wrote, or float weights and the recipe that rebuilds it.

Eager INT8 models have no safe file format, so an eager variant is its FP32 weights with the script that makes it of
them and all that this reads (`recipes/bundle.py`). What a runtime wrote comes from the cache of preparations
(`engine/prepared_cache.py`). No torch here.
"""

from __future__ import annotations

import io
import shlex
import zipfile
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from efficiency import recipes, techniques, workloads
from efficiency.analysis import preparation
from efficiency.analysis.kept import mapping_of
from efficiency.engine import prepared_cache
from efficiency.errors import BadRequest
from efficiency.recipes import Wanted, bundle, naming
from efficiency.results.store import StudyRecord
from efficiency.study import BASELINE, CONTROL, PRESETS
from efficiency.techniques import onnx_recipe, openvino_recipe
from efficiency.techniques.base import Stage

Row = Mapping[Any, Any]
"""A row of `Store.rows`."""

_TORCH = "import torch\ntorch.set_num_threads({threads})\n"
LOADING = {
    ".pt2": _TORCH + 'model = torch._inductor.aoti_load_package("{file}")\nscores = model(inputs)',
    ".pt": _TORCH + 'model = torch.jit.optimize_for_inference(torch.jit.load("{file}"))\nscores = model(inputs)',
    ".onnx": (
        f"import onnxruntime\n{onnx_recipe.OPTIONS}"
        'session = onnxruntime.InferenceSession("{file}", options, providers=["CPUExecutionProvider"])\n'
        "scores = session.run(None, {{session.get_inputs()[0].name: inputs.numpy()}})[0]"
    ),
    ".xml": (
        "import openvino\ncore = openvino.Core()\n"
        'model = core.read_model("{file}")\n'
        "shape = model.input().partial_shape\n"
        "shape[0] = {batch_size}  # rows a call, as it was measured; without the reshape any number, more slowly\n"
        f"model.reshape(shape)\n{openvino_recipe.SETTINGS}"
        'model = core.compile_model(model, "CPU", settings)\nscores = model(inputs.numpy())[0]'
    ),
}
"""By the suffix of what a runtime wrote: how its own public API loads and calls it, as it was measured."""
PRECISION = {"openvino": openvino_recipe.IN_FP32}
"""By technique: what its `.xml` has to be told of precision."""
EAGER = (
    "An eager variant has no file format that is safe to load: recipe.py makes it, so that it is rebuilt from the FP32 "
    "weights."
)
LEARNED = (
    "What the row had learned from data (calibrated ranges, fine-tuned weights) the script learns anew, from the same "
    "rows, which are in the zip, and with the same seed."
)
COMPILED = (
    "It was compiled for {rows} a call and does not check what it is given: another number of rows, another shape or "
    "another type gives wrong answers or none. More rows are called in turn: "
    "`torch.cat([model(part) for part in inputs.split({batch_size})])`."
)


def why_not(row: Row, study: StudyRecord, kept: Mapping[str, Any]) -> str | None:
    """Why there is nothing to hand out, with what to do; None where there is. `kept` is the row's details."""
    if row["status"] == "not-applicable":
        return f"Nothing was prepared: {row['reason']}"
    if row["variant"] == CONTROL:
        return "The control is the baseline, called a second time; take the baseline's."
    if row.get("phase") == "training":
        return "A training study keeps nothing of what it prepares: its models take a few steps, to be compared."
    key = _key(kept)
    return None if key and prepared_cache.holds(key) else _gone(row, study)


def pack(row: Row, study: StudyRecord, kept: Mapping[str, Any]) -> bytes:
    """The zip; raises `BadRequest` with what to do where nothing is left of the row's preparation.

    Of an eager variant, whose files a child process makes, `EfficiencyError` where they cannot be made now.
    """
    if reason := why_not(row, study, kept):
        raise BadRequest(reason)
    key = _key(kept)
    found = prepared_cache.read(key) if key else None
    if found is None:
        raise BadRequest(_gone(row, study))
    answer, entry = found
    packaged = sorted(path for path in (entry / "artefact").rglob("*") if path.is_file())
    file = io.BytesIO()
    if not packaged:
        _rebuilt(row, study, kept, answer, file)
        return file.getvalue()
    with zipfile.ZipFile(file, "w") as archive:  # weights hardly get smaller, and packages are zips themselves
        for path in packaged:
            archive.write(path, path.relative_to(entry / "artefact"))
        loading = _loading([path.name for path in packaged], row, study)
        archive.writestr("README.txt", f"{_about(row, study, kept)}\n\n{loading}\n")
    return file.getvalue()


def file_name(row: Row) -> str:
    """A name for the zip."""
    return f"{row['workload']}-{row['variant']}-batch-{row['batch_size']:.0f}-threads-{row['threads']:.0f}.zip"


def _key(kept: Mapping[str, Any]) -> str | None:
    """Of the entry in the cache; None where there is none: what an imported document says may be anything."""
    key = mapping_of(kept.get("prepared")).get("key")
    return str(key) if prepared_cache.is_key(key) else None


def _keys(row: Row) -> list[str]:
    return [] if row["variant"] == BASELINE else str(row["variant"]).split("+")


def _gone(row: Row, study: StudyRecord) -> str:
    reason = (
        "What was prepared for this row is not kept here (it was measured elsewhere or by an earlier version, or the "
        "cache was cleared)"
    )
    try:
        command = _command(recipes.wanted(row, study), study.asked.get("preset"))
    except BadRequest as error:
        return f"{reason}, and cannot be made anew here. {error}"
    return f"{reason}; make it anew with `{command}` and take it from that study."


def _command(wanted: Wanted, preset: object) -> str:
    """Measures the row again, with as many rows to learn from."""
    condition = wanted.condition
    options = {
        "preset": preset if preset in PRESETS and preset != "quick" else None,
        "workload": wanted.workload.name,
        "dataset": wanted.dataset,
        "combine" if len(wanted.keys) > 1 else "technique": "+".join(wanted.keys) or None,
        "batch-size": condition.batch_size,
        "threads": condition.threads,
        "device": condition.device if condition.device != "cpu" else None,
        "length": condition.length,
        "padding": condition.padding_pct or None,
        "seed": wanted.seed or None,
    }
    words = ((f"--{name}", str(value)) for name, value in options.items() if value is not None)
    return shlex.join(["python", "-m", "efficiency", "run", *chain.from_iterable(words)])


def _about(row: Row, study: StudyRecord, kept: Mapping[str, Any]) -> str:
    lines = (
        f"{row['variant']} of {row['workload']} on {row['dataset']}, batch size {row['batch_size']:.0f}, "
        f"{row['threads']:.0f} thread{'' if row['threads'] == 1 else 's'}.",
        f"Measured in the study {study.id} with torch {study.torch_version} on "
        f"{study.machine.get('label') or 'an unknown machine'}.",
        preparation.said(kept, row["prepare_s"]),
        preparation.size_said(kept),
    )
    return "\n".join(filter(None, lines))


def _loading(names: list[str], row: Row, study: StudyRecord) -> str:
    """How what a runtime wrote is loaded, and what the variant has around it."""
    known = {name: LOADING[suffix] for name in names if (suffix := Path(name).suffix) in LOADING}
    keys = _keys(row)
    precision = "".join(PRECISION.get(key, "") for key in keys)
    threads, batch_size = f"{row['threads']:.0f}", f"{row['batch_size']:.0f}"
    told = {"precision": precision, "threads": threads, "batch_size": batch_size}
    calls = {name: text.format(file=name, **told) for name, text in known.items()}
    said = [f"{name} is loaded and called so:\n\n{call}" for name, call in calls.items()]
    if said:
        said.append(
            f"`inputs` is a contiguous tensor of rows as the model was trained on{_shape(row, study)}; the recipe's "
            f"zip (`{naming.command('recipe', row, '--bundle', 'FILE.zip')}`) has some, encoded, in inputs.safetensors."
        )
    if any(Path(name).suffix == ".pt2" for name in known):
        rows = f"exactly {batch_size} row{'' if batch_size == '1' else 's'}"
        said.append(COMPILED.format(rows=rows, batch_size=batch_size))
    if {"bf16-weights", "fp16-weights"} & set(keys):
        said.append("It answers in 16 bits; `.float()` makes FP32 of its scores.")
    outside = [t for t in techniques.in_order(tuple(keys)) if t.stage is Stage.CALL]
    if outside:
        said.append(f"The variant sets up around the call, too: {', '.join(t.label for t in outside)}.")
    return "\n\n".join(said)


def _shape(row: Row, study: StudyRecord) -> str:
    """`: float32 [rows, 1, 28, 28], normalised`; empty for a user's own model, whose input only it knows."""
    key = row["workload"]
    if key not in workloads.WORKLOADS or key not in study.asked.get("workloads", ()):
        return ""
    workload = workloads.WORKLOADS[key]
    if workload.length:
        length = workload.length if pd.isna(row.get("length")) else row["length"]
        return f": int64 [rows, {length:.0f}], token ids"
    side = workload.shape["image_size"]
    return f": float32 [rows, {workload.shape['channels']}, {side}, {side}], normalised"


def _rebuilt(
    row: Row, study: StudyRecord, kept: Mapping[str, Any], answer: Mapping[str, Any], file: io.BytesIO
) -> None:
    """The recipe of an eager variant and what it reads; the weights are those that the row was measured with.

    A user's own `build` may give them up to rounding alone, so those are not compared.
    """
    wanted = recipes.wanted(row, study)
    learns = any(technique.learns_from != "nothing" for technique in techniques.in_order(wanted.keys))
    about = [_about(row, study, kept), f"{EAGER} {LEARNED}" if learns else EAGER]
    weights = None if wanted.workload.trained else str(answer["reference"]["weights"])
    bundle.make(wanted, file, about="\n\n".join(about), weights=weights)
