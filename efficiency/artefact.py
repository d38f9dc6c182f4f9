"""What a study prepared for one row, as a zip: what a runtime wrote, or float weights and what was learned.

Eager INT8 models have no safe file format, so an eager variant is its FP32 weights, what was learned, and the recipe
that rebuilds it from them. All of it comes from the cache of preparations (`engine/prepared_cache.py`). No torch here.
"""

from __future__ import annotations

import io
import shlex
import zipfile
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import load_file
from safetensors.numpy import save as to_safetensors

from efficiency import recipes, techniques, workloads
from efficiency.analysis import preparation
from efficiency.analysis.kept import mapping_of
from efficiency.engine import prepared_cache
from efficiency.engine.prepared_content import weights_digest
from efficiency.errors import BadRequest
from efficiency.recipes import Wanted
from efficiency.results.store import StudyRecord
from efficiency.study import BASELINE, CONTROL, PRESETS
from efficiency.techniques.base import Stage
from efficiency.workloads import cards

Row = Mapping[Any, Any]
"""A row of `Store.rows`."""

_TORCH = "import torch\ntorch.set_num_threads({threads})\n"
LOADING = {
    ".pt2": _TORCH + 'model = torch._inductor.aoti_load_package("{file}")\nscores = model(inputs)',
    ".pt": _TORCH + 'model = torch.jit.optimize_for_inference(torch.jit.load("{file}"))\nscores = model(inputs)',
    ".onnx": (
        "import onnxruntime\n"
        "options = onnxruntime.SessionOptions()\n"
        "options.intra_op_num_threads = {threads}\n"
        'session = onnxruntime.InferenceSession("{file}", options, providers=["CPUExecutionProvider"])\n'
        "scores = session.run(None, {{session.get_inputs()[0].name: inputs.numpy()}})[0]"
    ),
    ".xml": (
        "import openvino\n"
        'settings = {{"INFERENCE_NUM_THREADS": {threads}{settings}}}\n'
        'model = openvino.Core().compile_model("{file}", "CPU", settings)\nscores = model(inputs.numpy())[0]'
    ),
}
"""By the suffix of what a runtime wrote: how its own public API loads and calls it."""
SETTINGS = {"openvino": ', "INFERENCE_PRECISION_HINT": "f32"'}
"""By technique: without them, a processor with BF16 would give other answers than those measured."""


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
    """The zip; raises `BadRequest` with what to do where nothing is left of the row's preparation."""
    if reason := why_not(row, study, kept):
        raise BadRequest(reason)
    key = _key(kept)
    found = prepared_cache.read(key) if key else None
    if found is None:
        raise BadRequest(_gone(row, study))
    answer, entry = found
    packaged = sorted(path for path in (entry / "artefact").rglob("*") if path.is_file())
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:  # weights hardly get smaller, and packages are zips themselves
        for path in packaged:
            archive.write(path, path.relative_to(entry / "artefact"))
        note = (
            [_loading([path.name for path in packaged], row, study)]
            if packaged
            else _eager(row, study, answer, archive)
        )
        if not packaged and (entry / "learned").is_file():
            archive.write(entry / "learned", "learned.safetensors")
            note.append("learned.safetensors: what was learned from data (calibrated ranges, fine-tuned weights).")
        archive.writestr("README.txt", "\n\n".join([_about(row, study, kept), *note]) + "\n")
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


def _recipe(row: Row, study: StudyRecord) -> str:
    words = ("recipe", study.id, str(row["variant"]), "--workload", str(row["workload"]))
    return shlex.join(["python", "-m", "efficiency", *words])


def _loading(names: list[str], row: Row, study: StudyRecord) -> str:
    """How what a runtime wrote is loaded, and what the variant has around it."""
    known = {name: LOADING[suffix] for name in names if (suffix := Path(name).suffix) in LOADING}
    keys = _keys(row)
    settings = "".join(SETTINGS.get(key, "") for key in keys)
    threads, batch_size = f"{row['threads']:.0f}", f"{row['batch_size']:.0f}"
    calls = {name: text.format(file=name, settings=settings, threads=threads) for name, text in known.items()}
    said = [f"{name} is loaded and called so:\n\n{call}" for name, call in calls.items()]
    if said:
        said.append(
            f"`inputs` is a contiguous tensor of rows as the model was trained on{_shape(row, study)}; the recipe's "
            f"zip (`{_recipe(row, study)} --bundle FILE.zip`) has some, encoded, in inputs.safetensors."
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


def _eager(row: Row, study: StudyRecord, answer: Mapping[str, Any], archive: zipfile.ZipFile) -> list[str]:
    """Float weights, where they are not a user's own to bring, and how the variant is rebuilt from them."""
    rebuilt = (
        "An eager variant has no file format that is safe to load: it is rebuilt from the FP32 weights. The script "
        f"that does so: `{_recipe(row, study)}`."
    )
    workload = recipes.wanted(row, study).workload
    dataset = workload.dataset(str(row["dataset"]))
    if workload.trained:
        return [f"The FP32 weights are those that {workload.name} loads; they are yours and not copied here.", rebuilt]
    checkpoint = cards.find(workload, dataset)
    weights = {} if checkpoint is None else _in_fp32(checkpoint)
    stored = ((name, value.dtype.name, value.shape, value.tobytes()) for name, value in sorted(weights.items()))
    if weights_digest(stored) != answer["reference"]["weights"]:
        raise BadRequest(
            f"The checkpoint of {workload.name} on {dataset.key} is not the one that this row was measured with; run "
            "the study again."
        )
    archive.writestr("weights.safetensors", to_safetensors(weights))
    return ["weights.safetensors: the FP32 weights, which `model.load_state_dict` takes.", rebuilt]


def _in_fp32(checkpoint: Path) -> dict[str, np.ndarray[Any, Any]]:
    """As `workloads.checkpoints` restores them."""
    stored = load_file(checkpoint)
    return {
        name: value.astype(np.float32) if np.issubdtype(value.dtype, np.floating) else value
        for name, value in stored.items()
    }
