"""Parts of a script: functions as text, with what they import, copy and take as constants."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from efficiency.condition import Condition
from efficiency.techniques.recipe import Recipe

IMPORTS = (
    "import statistics",
    "import time",
    "from pathlib import Path",
    "import torch",
    "from safetensors.torch import load_file, save_file",
    "from torch import nn",
)
"""Lines that every script needs."""
KEEP_FREED = "efficiency.measure.allocator:keep_freed_memory"
"""What every script calls first, as every process does that times a variant."""


@dataclass(frozen=True)
class Parts:
    """The functions of a script, the last of which is `main`."""

    functions: list[str]
    uses: tuple[str, ...] = ()
    """`module:name` of this project's functions that they call."""
    constants: dict[str, Any] = field(default_factory=dict)
    """Values by the names that they have in the script."""


def function(head: str, said: str, body: str) -> str:
    """`def head:` with a docstring of a line and this body, which is not indented."""
    lines = (f"    {line}" if line else "" for line in body.rstrip().split("\n"))
    return "\n".join([f"def {head}:", f'    """{said}"""', *lines])


def within(managers: tuple[str | None, ...], body: str) -> str:
    """The statements, inside of these context managers where there are some."""
    named = ", ".join(filter(None, managers))
    return f"with {named}:\n{indented(body)}" if named else body


def indented(body: str) -> str:
    """By four spaces."""
    return "".join(f"    {line}\n" if line else "\n" for line in body.rstrip().split("\n"))


def on_device(condition: Condition) -> str:
    """What comes behind an expression of a model or a tensor to have it where the condition is."""
    return "" if condition.device == "cpu" else f'.to("{condition.device}")'


def switches(recipe: Recipe, condition: Condition) -> str:
    """Statements that `main` begins with: what the process is set to."""
    lines = [f"{KEEP_FREED.partition(':')[2]}()"]
    if recipe.session:
        lines.append(recipe.session)
    if condition.device == "cuda":
        lines.append("torch.backends.cudnn.allow_tf32 = False  # FP32 as it was measured, in convolutions and LSTMs")
    return "".join(f"{line}\n" for line in lines)


def settled(condition: Condition) -> str:
    """A statement, indented by a loop, that waits for what the clock is to count; empty on a CPU."""
    return "    torch.cuda.synchronize()\n" if condition.device == "cuda" else ""
