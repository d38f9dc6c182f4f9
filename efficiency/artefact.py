"""What a study prepared for one row, as a zip: what a runtime wrote, or float weights and what was learned.

Eager INT8 models have no safe file format, so an eager variant is its FP32 weights, what was learned, and the recipe
that rebuilds it from them. All of it comes from the cache of preparations (`engine/prepared_cache.py`). No torch here.
"""

from __future__ import annotations

import io
import shlex
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file
from safetensors.numpy import save as to_safetensors

from efficiency import techniques, workloads
from efficiency.analysis import preparation
from efficiency.analysis.kept import mapping_of
from efficiency.engine import prepared_cache
from efficiency.engine.prepared_content import weights_digest
from efficiency.errors import BadRequest
from efficiency.results.store import StudyRecord
from efficiency.study import BASELINE, CONTROL
from efficiency.techniques.base import Stage
from efficiency.workloads import cards

Row = Mapping[Any, Any]
"""A row of `Store.rows`."""

LOADING = {
    ".pt2": 'model = torch._inductor.aoti_load_package("{file}")\nscores = model(inputs)',
    ".pt": 'model = torch.jit.optimize_for_inference(torch.jit.load("{file}"))\nscores = model(inputs)',
    ".onnx": (
        'session = onnxruntime.InferenceSession("{file}", providers=["CPUExecutionProvider"])\n'
        "scores = session.run(None, {{session.get_inputs()[0].name: inputs.numpy()}})[0]"
    ),
    ".xml": 'model = openvino.Core().compile_model("{file}", "CPU")\nscores = model(inputs.numpy())[0]',
}
"""By the suffix of what a runtime wrote: how its own public API loads and calls it."""


def why_not(row: Row, study: StudyRecord, kept: Mapping[str, Any]) -> str | None:
    """Why there is nothing to hand out, with what to do; None where there is. `kept` is the row's details."""
    if row["status"] == "not-applicable":
        return f"Nothing was prepared: {row['reason']}"
    if row["variant"] == CONTROL:
        return "The control is the baseline, called a second time; take the baseline's."
    key = _key(kept)
    return None if key and prepared_cache.holds(key) else _gone(row, study)


def pack(row: Row, study: StudyRecord, kept: Mapping[str, Any]) -> bytes:
    """The zip; raises `BadRequest` with what to do where nothing is left of the row's preparation."""
    if reason := why_not(row, study, kept):
        raise BadRequest(reason)
    found = prepared_cache.read(_key(kept) or "")
    if found is None:
        raise BadRequest(_gone(row, study))
    answer, entry = found
    packaged = sorted(path for path in (entry / "artefact").rglob("*") if path.is_file())
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:  # weights hardly get smaller, and packages are zips themselves
        for path in packaged:
            archive.write(path, path.relative_to(entry / "artefact"))
        note = [_loading([path.name for path in packaged], row)] if packaged else _eager(row, study, answer, archive)
        if not packaged and (entry / "learned").is_file():
            archive.write(entry / "learned", "learned.safetensors")
            note.append("learned.safetensors: what was learned from data (calibrated ranges, fine-tuned weights).")
        archive.writestr("README.txt", "\n\n".join([_about(row, study, kept), *note]) + "\n")
    return file.getvalue()


def file_name(row: Row) -> str:
    """A name for the zip."""
    return f"{row['workload']}-{row['variant']}-batch-{row['batch_size']:.0f}-threads-{row['threads']:.0f}.zip"


def _key(kept: Mapping[str, Any]) -> str | None:
    key = mapping_of(kept.get("prepared")).get("key")
    return key if isinstance(key, str) else None


def _keys(row: Row) -> list[str]:
    return [] if row["variant"] == BASELINE else str(row["variant"]).split("+")


def _gone(row: Row, study: StudyRecord) -> str:
    keys = _keys(row)
    variant = f" --{'combine' if len(keys) > 1 else 'technique'} {'+'.join(keys)}" if keys else ""
    shape = f"--batch-size {row['batch_size']:.0f} --threads {row['threads']:.0f}"
    return (
        "What was prepared for this row is not kept here (it was measured elsewhere or by an earlier version, or the "
        f"cache was cleared); make it anew with `python -m efficiency run --workload {_name(row, study)} --dataset "
        f"{row['dataset']}{variant} {shape}` and take it from that study."
    )


def _name(row: Row, study: StudyRecord) -> str:
    """What a command line calls the workload: a user's file is known to the study alone."""
    files = [name for name in study.asked.get("workloads", ()) if workloads.is_file(str(name))]
    return shlex.quote(str(row["workload"] if row["workload"] in workloads.WORKLOADS or not files else files[0]))


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
    return f"python -m efficiency recipe {study.id} {row['variant']} --workload {row['workload']}"


def _loading(names: list[str], row: Row) -> str:
    """How what a runtime wrote is loaded, and what the variant has around it."""
    known = {name: LOADING[suffix] for name in names if (suffix := Path(name).suffix) in LOADING}
    said = [f"{name} is loaded and called so:\n\n{text.format(file=name)}" for name, text in known.items()]
    outside = [t for t in techniques.in_order(tuple(_keys(row))) if t.stage in (Stage.LAYOUT, Stage.CALL)]
    if outside:
        said.append(f"The variant sets up around the call, too: {', '.join(t.label for t in outside)}.")
    return "\n\n".join(said)


def _eager(row: Row, study: StudyRecord, answer: Mapping[str, Any], archive: zipfile.ZipFile) -> list[str]:
    """Float weights, where they are not a user's own to bring, and how the variant is rebuilt from them."""
    rebuilt = (
        "An eager variant has no file format that is safe to load: it is rebuilt from the FP32 weights. The script "
        f"that does so: `{_recipe(row, study)}`."
    )
    workload = workloads.describe(_name(row, study))
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
