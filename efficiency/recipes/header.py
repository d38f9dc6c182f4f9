"""What a recipe says of itself: what it rebuilds or trains, what lies beside it, how to put in rows of one's own."""

from __future__ import annotations

import textwrap

from efficiency.condition import Condition
from efficiency.recipes import model_source
from efficiency.techniques.base import Technique
from efficiency.workloads.base import Workload

WIDTH = 100


def of(chosen: list[Technique], workload: Workload, condition: Condition, measured: str) -> str:
    """The script's docstring, without its quotes."""
    name = " + ".join(technique.label for technique in chosen) or "Baseline"
    if condition.phase == "training":
        made, limit = "trained for STEPS steps", ""
        gives = "The weights go to trained.safetensors, their scores of the rows to answer to outputs.safetensors."
    else:
        made, gives = "rebuilt from its trained FP32 weights", "The scores go to outputs.safetensors."
        specialised = any(technique.runtime is not None and technique.runtime.specialised for technique in chosen)
        limit = f" The number of rows has to be a multiple of {condition.batch_size}." if specialised else ""
    paragraphs = [
        f"{name}: {workload.label}, {made} with public APIs alone.",
        *(f"{technique.label}. {technique.summary_in(condition.phase)}" for technique in chosen),
        "Beside this script have to lie, as in the zip that `python -m efficiency recipe --bundle` writes:",
        "\n".join(files(chosen, condition)),
        "For rows of your own, write these files anew with safetensors.torch.save_file. "
        f"{model_source.form_of_rows(workload, condition)}{limit} {gives}",
        model_source.note(workload),
        f"{condition.label()}. {measured}",
    ]
    text = "\n\n".join(map(_filled, filter(None, paragraphs)))
    return text.replace("\\", "\\\\").replace('"""', "'''") + "\n"


def files(chosen: list[Technique], condition: Condition) -> list[str]:
    """A line for each file that the script reads."""
    if condition.phase == "training":
        return [
            "- training.safetensors: `inputs` [N, ...] and `labels` [N], the rows to train on, in this order;",
            f"- inputs.safetensors: `inputs` [N, ...], rows to answer afterwards, {condition.batch_size} a call.",
        ]
    lines = [
        "- weights.safetensors: the FP32 weights, by their names in the model's state_dict;",
        f"- inputs.safetensors: `inputs` [N, ...], the rows to answer, {condition.batch_size} a call;",
    ]
    if any(technique.learns_from in ("calibration", "both") for technique in chosen):
        lines.append("- calibration.safetensors: `inputs` [N, ...], unlabelled rows like those to come;")
    if any(technique.learns_from in ("training", "both") for technique in chosen):
        lines.append("- training.safetensors: `inputs` [N, ...] and `labels` [N], rows to learn from;")
    return [*lines[:-1], lines[-1].removesuffix(";") + "."]


def _filled(paragraph: str) -> str:
    """No line wider than `WIDTH`; those of a list hang."""
    indent = "  " if paragraph.startswith("- ") else ""
    lines = paragraph.strip().split("\n")
    return "\n".join(
        textwrap.fill(line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
        for line in lines
    )
