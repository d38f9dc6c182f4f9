"""A variant to take home: its recipe, the weights and rows that it reads, and what to install, in one zip."""

from __future__ import annotations

import ast
import sys
import tempfile
import zipfile
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import IO

from efficiency import paths, techniques
from efficiency.analysis import wording
from efficiency.engine import turn
from efficiency.engine.child import ask, let_go
from efficiency.errors import EfficiencyError, VariantFailed
from efficiency.recipes import files, model_source, script
from efficiency.recipes.stored import Wanted

SILENCE_S = 600.0
"""A data set that is read for the first time may take minutes."""
DOES = {
    "inference": "it rebuilds the variant from weights.safetensors, answers the rows of inputs.safetensors, writes the "
    "scores to outputs.safetensors and times a call.",
    "training": "it trains the model on the rows of training.safetensors for as many steps as the study did, times "
    "them, writes the weights to trained.safetensors, and their scores of the rows of inputs.safetensors to "
    "outputs.safetensors.",
}


def make(wanted: Wanted, place: Path | IO[bytes], *, about: str = "", weights: str | None = None) -> None:
    """Write the zip to `place`, in some seconds; a child process makes the weights and rows.

    `about` comes first in its README.txt; `weights` is the digest (`reference_content.weights`) that the weights have
    to have, None where any will do.
    Raises `EfficiencyError` where there is no recipe, the data or the checkpoint are not here, or a study has the
    machine, whose timing this would disturb.
    """
    told = "\n\n".join(filter(None, (about, readme(wanted))))
    texts = {"README.txt": told, "recipe.py": wanted.script, "requirements.txt": requirements(wanted)}
    (paths.home() / "bundles").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=paths.home() / "bundles") as folder, turn.taken("", _busy):
        try:
            asked = _asked(wanted, folder) | {"weights": weights}
            ask(files.run, asked, log=paths.home() / "bundles" / "children.log", silence_s=SILENCE_S)
        except VariantFailed as failure:
            raise EfficiencyError(f"The files of the recipe could not be made. {failure}") from failure
        finally:
            let_go()  # the app lives on, and would keep a process with PyTorch in it
        with zipfile.ZipFile(place, "w") as bundle:
            for name, content in texts.items():
                bundle.writestr(name, content, compress_type=zipfile.ZIP_DEFLATED)
            for file in sorted(Path(folder).iterdir()):
                bundle.write(file, file.name)  # Floats do not shrink.


def _asked(wanted: Wanted, folder: str) -> dict[str, object]:
    learns_from = {technique.learns_from for technique in techniques.in_order(wanted.keys)}
    trains = wanted.condition.phase == "training"
    if trains:
        learns_from = set()  # a technique that is taken for training learns nothing of rows beforehand
    return {
        "workload": wanted.workload.name,
        "dataset": wanted.dataset,
        "condition": asdict(wanted.condition),
        "folder": folder,
        "calibration_rows": wanted.effort.calibration_rows if learns_from & {"calibration", "both"} else 0,
        "training_rows": wanted.effort.training_rows if trains or learns_from & {"training", "both"} else 0,
    }


def requirements(wanted: Wanted) -> str:
    """The packages that the recipe imports, and those that they ask for, in the versions that are here.

    Of a study from elsewhere some may not be installed here: any version then.
    """
    names = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else name.name
        for node in ast.walk(ast.parse(wanted.script))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    imported = {name.partition(".")[0] for name in names} - sys.stdlib_module_names
    needed = imported | {*script.joined(wanted.keys, wanted.workload, wanted.condition).packages, "numpy"}
    return "".join(f"{_pinned(name)}\n" for name in sorted(needed))


def _pinned(name: str) -> str:
    try:
        # Of a build's own label, such as `+cpu`, an index need not know.
        return f"{name}=={metadata.version(name).partition('+')[0]}"
    except metadata.PackageNotFoundError:
        return name


def readme(wanted: Wanted) -> str:
    """What to do with the files, in one paragraph."""
    data = wanted.workload.dataset(wanted.dataset)
    sentences = [
        f"{'+'.join(wanted.keys) or 'baseline'}: {wanted.workload.label} on {data.label}.",
        "Install what requirements.txt names (pip install -r requirements.txt) and run python recipe.py:",
        DOES[wanted.condition.phase],
        "Its first lines say how to put in rows of your own.",
        model_source.note(wanted.workload),
        wanted.measured,
    ]
    return " ".join(filter(None, sentences)) + "\n"


def _busy(holder: str | None) -> None:
    raise EfficiencyError(
        wording.disturbs(holder, "and making files now would disturb it; try again when it has ended.")
    )
